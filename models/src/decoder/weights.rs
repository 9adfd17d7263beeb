//! Reads a GGUF file's tensors into packed matrices.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use candle_core::Device;
use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::{Content, TensorInfo};

use super::DecoderError;
use crate::processor::blocks::{EIGHT, Kind};
use crate::processor::matrix::Matrix;
use crate::processor::rows::BLOCK;

/// A file with its table of tensors.
pub(super) struct Weights<'a> {
    content: &'a Content,
    file: File,
}

impl<'a> Weights<'a> {
    pub(super) fn open(content: &'a Content, path: &Path) -> Result<Self, DecoderError> {
        Ok(Self { content, file: File::open(path)? })
    }

    /// Numbers of a tensor of one dimension.
    pub(super) fn row(&mut self, name: &str, size: usize) -> Result<Vec<f32>, DecoderError> {
        let found = self.numbers(name)?;
        if found.len() != size {
            return Err(wrong(name, format!("has {} numbers; {size} are needed", found.len())));
        }
        Ok(found)
    }

    /// The same of a tensor that may be missing.
    pub(super) fn optional(
        &mut self,
        name: &str,
        size: usize,
    ) -> Result<Option<Vec<f32>>, DecoderError> {
        self.content.tensor_infos.contains_key(name).then(|| self.row(name, size)).transpose()
    }

    /// The matrix of `{name}.weight`, of `outputs` rows of `inputs` numbers, with the bias of `{name}.bias` if there is
    /// one. Row `n` of the file becomes output `place(n)`.
    pub(super) fn matrix(
        &mut self,
        name: &str,
        (outputs, inputs): (usize, usize),
        place: &dyn Fn(usize) -> usize,
    ) -> Result<Matrix, DecoderError> {
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        let info = self.info(&weight)?;
        let whole =
            inputs.is_multiple_of(BLOCK) && inputs.is_multiple_of(info.ggml_dtype.block_size());
        if info.shape.dims() != [outputs, inputs] || !whole || inputs == 0 || outputs == 0 {
            let problem = format!(
                "has the shape {:?}; ({outputs}, {inputs}) is needed, with rows of a multiple of {BLOCK}",
                info.shape.dims()
            );
            return Err(wrong(&weight, problem));
        }
        let dtype = info.ggml_dtype;
        let mut matrix = match Kind::of(dtype) {
            Some(kind) => {
                let bytes = self.bytes(&weight)?;
                let mut matrix = Matrix::new(kind, inputs, outputs);
                for (row, bytes) in bytes.chunks_exact(bytes.len() / outputs).enumerate() {
                    matrix.put(place(row), dtype, bytes);
                }
                matrix
            }
            None => {
                let numbers = self.numbers(&weight)?;
                let mut matrix = Matrix::new(EIGHT, inputs, outputs);
                for (row, numbers) in numbers.chunks_exact(inputs).enumerate() {
                    matrix.put_numbers(place(row), numbers);
                }
                matrix
            }
        };
        for (row, x) in self.optional(&bias, outputs)?.iter().flatten().enumerate() {
            matrix.put_bias(place(row), *x);
        }
        Ok(matrix)
    }

    /// Rows of a matrix.
    pub(super) fn outputs(&self, name: &str) -> Result<usize, DecoderError> {
        let dims = self.info(name)?.shape.dims();
        dims.first().copied().ok_or_else(|| wrong(name, "has no shape".into()))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.content.tensor_infos.contains_key(name)
    }

    fn info(&self, name: &str) -> Result<&'a TensorInfo, DecoderError> {
        self.content.tensor_infos.get(name).ok_or_else(|| wrong(name, "is missing".into()))
    }

    /// Any type, as numbers.
    fn numbers(&mut self, name: &str) -> Result<Vec<f32>, DecoderError> {
        self.info(name)?;
        let mut read =
            || self.content.tensor(&mut self.file, name, &Device::Cpu)?.dequantize(&Device::Cpu);
        let numbers = read().and_then(|tensor| tensor.flatten_all()?.to_vec1());
        numbers.map_err(|e| wrong(name, format!("cannot be read: {e}")))
    }

    fn bytes(&mut self, name: &str) -> Result<Vec<u8>, DecoderError> {
        let info = self.info(name)?;
        let dtype: GgmlDType = info.ggml_dtype;
        let count = info.shape.elem_count() / dtype.block_size() * dtype.type_size();
        self.file.seek(SeekFrom::Start(self.content.tensor_data_offset + info.offset))?;
        let mut bytes = vec![0; count];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn wrong(name: &str, problem: String) -> DecoderError {
    DecoderError::Weight { name: name.into(), problem }
}
