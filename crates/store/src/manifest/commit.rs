//! Commits a manifest, and finds those that were.

use std::io;

use super::serial::ManifestError;
use super::{DIRECTORY, Manifest};
use crate::disk::read_all;
use crate::fixed::NUMBER_END;
use crate::{Disk, Error};

const DRAFT: &str = "manifest/draft";

/// A manifest file that was found.
#[derive(Debug)]
pub(crate) struct ManifestFile {
    pub(crate) content: Result<Manifest, String>,
    /// A later version of Cordwood wrote it.
    pub(crate) newer_format: Option<u32>,
}

/// The path of a manifest.
pub(crate) fn path_of(number: u64) -> String {
    format!("{DIRECTORY}/{number:020}")
}

/// Makes the manifest durable under its number, which must be free. After an error from the link on, it may be there
/// or not: the next attempt takes the next number and says the same again.
pub(crate) fn commit(disk: &dyn Disk, manifest: &Manifest) -> Result<(), Error> {
    match disk.remove(DRAFT) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io("remove", DRAFT)(error));
        }
        _ => {}
    }
    let draft = disk.create(DRAFT).map_err(Error::io("create", DRAFT))?;
    draft
        .append(&manifest.to_bytes())
        .and_then(|()| draft.sync())
        .map_err(Error::io("write", DRAFT))?;
    let path = path_of(manifest.number);
    disk.hard_link(DRAFT, &path)
        .map_err(Error::io("create", &*path))?;
    disk.sync_dir(DIRECTORY)
        .map_err(Error::io("sync", DIRECTORY))?;
    // The draft is a second name of the manifest; the next commit removes it if this does not.
    let _ = disk.remove(DRAFT);
    Ok(())
}

/// The numbers of all manifests there are, rising.
pub(crate) fn list_manifests(disk: &dyn Disk) -> Result<Vec<u64>, Error> {
    let names = disk.list(DIRECTORY).map_err(Error::io("list", DIRECTORY))?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| number_of(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn number_of(name: &str) -> Option<u64> {
    let is_canonical = name.len() == 20 && name.bytes().all(|byte| byte.is_ascii_digit());
    let number = name.parse().ok().filter(|number| *number < NUMBER_END);
    number.filter(|_| is_canonical)
}

/// Reads a manifest.
pub(crate) fn read_manifest(disk: &dyn Disk, number: u64) -> ManifestFile {
    let read = disk
        .open(&path_of(number))
        .and_then(|file| read_all(file.as_ref()));
    let mut newer_format = None;
    let content = match read {
        Err(error) => Err(format!("it cannot be read: {error}")),
        Ok(bytes) => match Manifest::parse(&bytes) {
            Ok(manifest) if manifest.number == number => Ok(manifest),
            Ok(_) => Err("its number is not that of its name".to_owned()),
            Err(ManifestError::Damaged) => Err("its checksum does not match".to_owned()),
            Err(ManifestError::NewerFormat(found)) => {
                newer_format = Some(found);
                Err(format!(
                    "it was written by a later version (format {found})"
                ))
            }
        },
    };
    ManifestFile {
        content,
        newer_format,
    }
}
