//! What the processor can do, and how one safe body is compiled for all of it.

/// Numbers side by side in the loops that the compiler vectorises.
pub(crate) const LANES: usize = 16;

/// What the processor can do. Kernels rest on what a level says: outside of tests only [`Level::detect`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// AVX-512 with VNNI.
    Avx512,
    /// AVX2 with FMA.
    Avx2,
    /// Whatever the build was made for.
    Portable,
}

impl Level {
    /// The best that this processor has.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vnni");
            let fused = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c");
            if wide && fused {
                return Self::Avx512;
            }
            if fused {
                return Self::Avx2;
            }
        }
        Self::Portable
    }
}

#[cfg(test)]
impl Level {
    /// This processor's levels.
    pub(crate) fn all() -> Vec<Self> {
        match Self::detect() {
            Self::Avx512 => vec![Self::Avx512, Self::Avx2, Self::Portable],
            Self::Avx2 => vec![Self::Avx2, Self::Portable],
            Self::Portable => vec![Self::Portable],
        }
    }
}

/// Compiles a safe body for every level and picks one when called. The body takes whether multiplication and addition
/// are fused as its const argument.
macro_rules! for_every_level {
    ($(#[$doc:meta])* $name:ident, $avx512:ident, $avx2:ident, $body:ident, ($($arg:ident: $type:ty),*)) => {
        $(#[$doc])*
        pub(crate) fn $name(level: $crate::processor::level::Level, $($arg: $type),*) {
            match level {
                // SAFETY: `Level::detect` gives a level only where the processor has all of its features.
                #[cfg(target_arch = "x86_64")]
                $crate::processor::level::Level::Avx512 => unsafe { $avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::processor::level::Level::Avx2 => unsafe { $avx2($($arg),*) },
                _ => $body::<{ cfg!(target_arch = "aarch64") }>($($arg),*),
            }
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")]
        fn $avx512($($arg: $type),*) {
            $body::<true>($($arg),*);
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn $avx2($($arg: $type),*) {
            $body::<true>($($arg),*);
        }
    };
}
pub(crate) use for_every_level;

/// `a * b + c`, rounded once where `FUSED`.
#[inline(always)]
pub(crate) fn madd<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}
