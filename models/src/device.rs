//! Where the arithmetic runs: the only place that knows of GPUs.

use candle_core::Device;

/// Name of the environment variable that bounds the threads of all arithmetic, candle's and our own.
pub const THREADS: &str = "RAYON_NUM_THREADS";

/// Threads that arithmetic on the processor may take: what [`THREADS`] says, else one a core.
pub fn threads() -> usize {
    let wanted = std::env::var(THREADS).ok().and_then(|text| text.parse().ok());
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    wanted.filter(|count| *count > 0).unwrap_or_else(cores)
}

/// A place to compute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Place {
    /// The processor.
    #[default]
    Cpu,
    /// The first NVIDIA GPU; needs a build with the feature `cuda`.
    Cuda,
}

/// Opens the place. On a GPU, each thread that uses what was opened has a queue of work there of its own: a thread that
/// hands tensors to another first reads a result back or calls [`Device::synchronize`].
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
    Device::new_cuda(0).map_err(|e| {
        // A stack trace may stand on the lines below.
        let said = e.to_string();
        let problem = said.lines().next().unwrap_or_default();
        format!(
            "no NVIDIA GPU could be opened: {problem}; `nvidia-smi` has to list one, with a driver for the version of \
             CUDA that this was built with, or set the device to `cpu`"
        )
    })
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<Device, String> {
    Err("this build runs on the processor only; build with `--features cuda` for a GPU".into())
}
