//! Serves an empty bucket until its standard input ends; prints a line of `<address> <bucket> <access key> <secret key>`.

mod server;

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use server::{ACCESS_KEY, BUCKET, S3Server, SECRET_KEY};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let root = arguments
        .next()
        .context("name a directory for the objects")?;
    let root = PathBuf::from(root);
    let server = match arguments.next() {
        None => S3Server::start(&root)?,
        Some(address) => {
            let address = address.into_string().ok().context("the address")?;
            S3Server::start_at(&root, address.parse()?)?
        }
    };
    let address = server.address();
    println!("http://{address} {BUCKET} {ACCESS_KEY} {SECRET_KEY}");
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
