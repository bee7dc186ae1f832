//! Files on the disk: which are read, and under which names others are written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Source;
use super::part::Part;
use super::tests::names;
use crate::files::tests::Folder;

#[test]
fn only_regular_files_that_others_can_count_are_sent() {
    let folder = Folder::new();
    let open = |path: &Path| {
        Source::open(path).map(|source| source.size()).map_err(|no| (no.exit.code(), no.text))
    };
    assert_eq!(open(&folder.file("empty", b"", 0o600)), Ok(0));
    let large = folder.file("large", b"", 0o600);
    let file = fs::File::options().write(true).open(&large).expect("it is there");
    file.set_len(u64::from(u32::MAX)).expect("a sparse file");
    assert_eq!(open(&large), Ok(u64::from(u32::MAX)));
    file.set_len(u64::from(u32::MAX) + 1).expect("a sparse file");
    let pipe = folder.0.join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a fresh name");
    for (path, exit, reason) in [
        (large.as_path(), 65, "cannot be sent, since others cannot count further"),
        (&folder.0, 66, "is not a regular file"),
        (Path::new("/dev/null"), 66, "is not a regular file"),
        (&pipe, 66, "is not a regular file"),
        (&folder.0.join("missing"), 66, "no such file or directory"),
        (&folder.0.join("empty/x"), 66, "not a directory"),
        (Path::new(""), 66, "no such file or directory"),
    ] {
        let (code, text) = open(path).expect_err("no file");
        assert!(code == exit && text.contains(reason), "{path:?}: {code} {text}");
    }
    let unreadable = folder.file("unreadable", b"x", 0o000);
    if !nix::unistd::geteuid().is_root() {
        assert_eq!(open(&unreadable).expect_err("not ours to read").0, 66);
    }
}

#[test]
fn nothing_is_written_over_and_no_name_leads_out_of_the_folder() {
    let folder = Folder::new();
    let take = |name: &str| {
        let mut part = Part::create(&folder.0, name).expect("a writable folder");
        part.write(name.as_bytes()).expect("a writable file");
        let at = part.keep().expect("a free name");
        assert_eq!(at.parent(), Some(folder.0.as_path()));
        at.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned()
    };
    for (name, kept) in [
        ("report.pdf", "report.pdf"),
        ("report.pdf", "report (1).pdf"),
        ("report.pdf", "report (2).pdf"),
        ("../../x", "x"),
        ("x", "x (1)"),
        ("/etc/passwd", "passwd"),
        ("C:\\..\\a.b.c", "a.b.c"),
        ("a.b.c", "a.b (1).c"),
        ("CON", "_CON"),
        ("\x1b[2J\u{202e}x\n", "[2Jx"),
        (".profile", "profile"),
        ("..", "file"),
        ("", "file (1)"),
    ] {
        assert_eq!(take(name), kept, "{name:?}");
        assert_eq!(fs::read(folder.0.join(kept)).expect("it is there"), name.as_bytes());
    }
    // A link that leads elsewhere is a file that is there.
    std::os::unix::fs::symlink("/nowhere/x", folder.0.join("link")).expect("a fresh name");
    std::os::unix::fs::symlink("/nowhere/y", folder.0.join("link.part")).expect("a fresh name");
    assert_eq!(take("link"), "link (1)");
}

#[test]
fn two_at_a_time_with_one_name_do_not_meet() {
    let folder = Folder::new();
    let mut first = Part::create(&folder.0, "x.txt").expect("a writable folder");
    let mut second = Part::create(&folder.0, "x.txt").expect("a writable folder");
    let third = Part::create(&folder.0, "x.txt").expect("a writable folder");
    assert_eq!(names(&folder), ["x (1).txt.part", "x (2).txt.part", "x.txt.part"]);
    drop(third);
    second.write(b"second").expect("a writable file");
    first.write(b"first").expect("a writable file");
    assert_eq!(second.keep().expect("a free name"), folder.0.join("x.txt"));
    assert_eq!(first.keep().expect("a free name"), folder.0.join("x (1).txt"));
    drop((first, second));
    assert_eq!(names(&folder), ["x (1).txt", "x.txt"]);
    let mode = fs::metadata(folder.0.join("x.txt")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o111, 0, "what others send does not run");
}
