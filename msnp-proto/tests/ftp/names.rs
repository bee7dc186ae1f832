//! Names that strangers give to files.

use msnp_proto::ftp::{is_executable, safe_name};
use proptest::prelude::*;

#[test]
fn names_that_would_do_harm() {
    let long = format!("{}.txt", "x".repeat(396));
    let cut = format!("{}.txt", "x".repeat(196));
    let wide = format!("{}.jpeg", "é".repeat(200));
    let cut_wide = format!("{}.jpeg", "é".repeat(97));
    let no_ending = format!("a.{}", "b".repeat(400));
    let cut_ending = format!("a.{}", "b".repeat(198));
    let dots = format!("a{}", ".".repeat(400));
    let blanks = format!("a{}b{}", " ".repeat(199), "c".repeat(99));
    let hidden = format!(".{}", "h".repeat(300));
    let cut_hidden = "h".repeat(200);
    for (name, safe) in [
        ("notes.txt", "notes.txt"),
        ("..\\..\\x.exe", "x.exe"),
        ("/etc/passwd", "passwd"),
        ("C:evil", "evil"),
        ("C:\\Documents\\a.txt", "a.txt"),
        ("a.txt:stream", "stream"),
        ("a.txt:", "file"),
        ("CON.txt", "_CON.txt"),
        ("con", "_con"),
        ("nul.tar.gz", "_nul.tar.gz"),
        ("Aux .txt", "_Aux .txt"),
        ("COM1", "_COM1"),
        ("lpt9.doc", "_lpt9.doc"),
        ("COM0", "COM0"),
        ("COM10", "COM10"),
        ("CONSOLE.txt", "CONSOLE.txt"),
        ("a\0b", "ab"),
        ("a\r\nb\x7f\u{85}c\x1b[31m", "abc[31m"),
        ("photo.jpg\u{202E}gpj.exe", "photo.jpggpj.exe"),
        ("\u{200F}\u{2066}a\u{2069}\u{200E}\u{202A}", "a"),
        ("a\u{200B}b", "a\u{200B}b"),
        ("a<b>c\"d|e?f*g", "a_b_c_d_e_f_g"),
        ("", "file"),
        (".", "file"),
        ("..", "file"),
        ("...", "file"),
        ("/", "file"),
        ("a/", "file"),
        ("a\\..", "file"),
        ("\u{202E}\0", "file"),
        (" . a.txt . ", "a.txt"),
        (".bashrc", "bashrc"),
        ("two words.txt", "two words.txt"),
        ("100%20percent.txt", "100%20percent.txt"),
        ("..%2F..%2Fx", "%2F..%2Fx"),
        ("\u{1F600} \u{3042}.png", "\u{1F600} \u{3042}.png"),
        ("caf\u{FFFD}.txt", "caf\u{FFFD}.txt"),
        (&long, &cut),
        (&wide, &cut_wide),
        (&no_ending, &cut_ending),
        (&dots, "a"),
        (&blanks, "a"),
        (&hidden, &cut_hidden),
    ] {
        assert_eq!(safe_name(name), safe, "{name:?}");
    }
}

#[test]
fn names_that_run() {
    for name in
        ["x.exe", "X.EXE", "photo.jpg.scr", "a.b.vbs", "x.exe . ", "run.bat", "a.JS", "b.lnk"]
    {
        assert!(is_executable(name), "{name}");
        assert!(is_executable(&safe_name(name)), "{name}");
    }
    for name in ["", "exe", "x.exe.txt", "x.", "photo.jpg", "a.exe_"] {
        assert!(!is_executable(name), "{name}");
    }
}

proptest! {
    #[test]
    fn whatever_it_is_it_stays_where_it_is_put(name in "(\\PC|[\0-\u{20}./\\\\:]|CON|\u{202E}){0,250}") {
        let safe = safe_name(&name);
        prop_assert!((1..=200).contains(&safe.len()));
        prop_assert!(!safe.contains(['/', '\\', ':', '<', '>', '"', '|', '?', '*']));
        prop_assert!(!safe.contains(char::is_control));
        prop_assert_eq!(safe.find('\u{202E}'), None);
        prop_assert!(!safe.starts_with([' ', '.']) && !safe.ends_with([' ', '.']));
        prop_assert_eq!(safe_name(&safe), safe);
    }
}
