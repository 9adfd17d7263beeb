//! The zip file that a Word document is: parts by name, unpacked within bounds.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::{damaged, xml};
use crate::readers::decode;
use crate::readers::foreign::ConvertError;

/// Bytes of all parts together at most; a book of 1,000 pages has about 20 MiB.
const MAX_UNPACKED: u64 = 64 * 1024 * 1024;
/// How many times larger than packed a part may be; Word's XML shrinks to a tenth, seldom to a fiftieth.
const MAX_RATIO: u64 = 200;
/// Bytes below which the ratio says nothing.
const SMALL: u64 = 1024 * 1024;
/// What an old Word file begins with, and a new one with a password.
const OLD: [u8; 4] = [0xd0, 0xcf, 0x11, 0xe0];

/// An open document.
pub(super) struct Package<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// Bytes that may still be unpacked.
    left: u64,
}

impl<'a> Package<'a> {
    /// Reads the list of parts.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, ConvertError> {
        if bytes.starts_with(&OLD) {
            return Err(damaged(
                "it is an old Word file or one with a password. Save it as DOCX without a password",
            ));
        }
        if !bytes.starts_with(b"PK") {
            return Err(damaged("it does not begin like one. Is its ending right?"));
        }
        let zip =
            ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error.to_string()))?;
        Ok(Self { zip, left: MAX_UNPACKED })
    }

    /// Name of the main part.
    pub(super) fn document(&mut self) -> Result<String, ConvertError> {
        let mut found = None;
        if let Some(relations) = self.part("_rels/.rels")? {
            xml::walk(&relations, &mut |step| {
                if let xml::Step::Open("Relationship", tag) = step
                    && tag.get("Type").is_some_and(|kind| kind.ends_with("/officeDocument"))
                {
                    found = tag.get("Target");
                }
            })?;
        }
        let name = found.unwrap_or_else(|| "word/document.xml".into());
        Ok(name.trim_start_matches('/').to_owned())
    }

    /// A part of the same folder as `document`.
    pub(super) fn beside(
        &mut self,
        document: &str,
        name: &str,
    ) -> Result<Option<String>, ConvertError> {
        let folder = document.rfind('/').map_or("", |at| &document[..=at]);
        self.part(&format!("{folder}{name}"))
    }

    /// What `document` refers to.
    pub(super) fn relations(&mut self, document: &str) -> Result<Option<String>, ConvertError> {
        let (folder, name) = document.rsplit_once('/').unwrap_or(("", document));
        self.part(&format!("{folder}/_rels/{name}.rels"))
    }

    /// The text of a part, when there is one.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<String>, ConvertError> {
        let file = match self.zip.by_name(name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(damaged(&format!("{name}: {error}"))),
        };
        // The sizes that the file claims are not believed.
        let most = self.left.min(file.compressed_size().saturating_mul(MAX_RATIO).max(SMALL));
        let mut bytes = Vec::new();
        let read = file.take(most + 1).read_to_end(&mut bytes);
        read.map_err(|error| damaged(&format!("{name}: {error}")))?;
        if bytes.len() as u64 > most {
            return Err(ConvertError::Bomb { most });
        }
        self.left -= bytes.len() as u64;
        decode::text(&bytes, None).map(Some).map_err(|error| damaged(&format!("{name}: {error}")))
    }
}
