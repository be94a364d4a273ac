//! The file of an export, as it is downloaded: any range of it, as often as it takes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::export::Export;

/// A whole file. It can be read to its end even if the export is removed meanwhile.
#[derive(Clone, Debug)]
pub struct ExportFile {
    file: Arc<File>,
    /// How long it is.
    pub bytes: u64,
    /// The name to save it by.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// The id of the export, which never has another file.
    pub export: String,
}

impl ExportFile {
    pub(super) fn new(file: File, export: &Export) -> io::Result<ExportFile> {
        let compressed = export.compression.media_type();
        Ok(ExportFile {
            bytes: file.metadata()?.len(),
            file: Arc::new(file),
            name: export.file_name(),
            media_type: compressed.unwrap_or_else(|| export.format.media_type()),
            export: export.id.clone(),
        })
    }

    /// At most `bytes_max` bytes from `offset` on; none only at the end.
    pub fn read_at(&self, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        let left = self.bytes.saturating_sub(offset);
        let wanted = usize::try_from(left).map_or(bytes_max, |left| left.min(bytes_max));
        let mut bytes = vec![0; wanted];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}
