//! Writes the inputs that are made from all transcripts into the corpus of each target, and the
//! dictionary: `cargo run --example seeds` in this folder. `cargo fuzz cmin TARGET` makes a corpus
//! small again.

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::write(here.join("msnp.dict"), msnp_fuzz::seeds::dictionary())?;
    for (target, seeds) in msnp_fuzz::seeds::seeds() {
        let folder = here.join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        for (name, bytes) in &seeds {
            fs::write(folder.join(name), bytes)?;
        }
        println!("{target}: {} inputs", seeds.len());
    }
    Ok(())
}
