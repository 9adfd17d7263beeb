//! Where the arithmetic runs: the only place that knows of GPUs.

use candle_core::Device;

/// A place to compute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Place {
    /// The processor.
    #[default]
    Cpu,
    /// The first NVIDIA GPU; needs a build with the feature `cuda`.
    Cuda,
}

/// Opens the place.
///
/// # Errors
/// When the build has no CUDA, or no GPU answers.
pub fn open(place: Place) -> Result<Device, String> {
    match place {
        Place::Cpu => Ok(Device::Cpu),
        Place::Cuda => cuda(),
    }
}

#[cfg(feature = "cuda")]
fn cuda() -> Result<Device, String> {
    Device::new_cuda(0).map_err(|e| format!("no NVIDIA GPU could be opened: {e}"))
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<Device, String> {
    Err("this build runs on the processor only; build with `--features cuda` for a GPU".into())
}
