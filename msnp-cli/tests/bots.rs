//! The example bots, each with the interpreter that it is for. Where there is no such interpreter the
//! test shows nothing, and says so (`--nocapture`).

mod support;

use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::Msnp;

/// A bot that does not outlive its test.
struct Bot(Child);

impl Drop for Bot {
    fn drop(&mut self) {
        // It has most likely ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Signs a bot in as bob.
fn start(interpreter: &str, bot: &str, server: &str) -> Bot {
    let child = Command::new(interpreter)
        .arg(format!("{}/bots/{bot}", env!("CARGO_MANIFEST_DIR")))
        .arg("--no-config")
        .env("MSNP", env!("CARGO_BIN_EXE_msnp"))
        .env("MSNP_SERVER", server)
        .env("MSNP_ACCOUNT", "bob@example.net")
        .env("MSNP_PASSWORD", "geheim-bob")
        .stdin(Stdio::null())
        .spawn()
        .expect("the interpreter is there");
    Bot(child)
}

/// Whether the interpreter is there; if it is not, the test says so and shows nothing.
fn has(interpreter: &str) -> bool {
    let found = Command::new(interpreter).args(["-c", ""]).status().is_ok_and(|s| s.success());
    if !found {
        eprintln!("SKIPPED: there is no {interpreter} here, so its bot is not tested");
    }
    found
}

fn is_a_good_bot(interpreter: &str, bot: &str) {
    if !has(interpreter) {
        return;
    }
    let (mut serve, at) = Msnp::serve(&[]);
    let mut bot = start(interpreter, bot, &at);
    serve.until(|event| event["type"] == "signed_in" && event["account"] == "bob@example.net");
    let mut alice = Msnp::start_as("alice", &at, &["pipe"]);
    // Who has signed in has no state yet, and cannot be called.
    alice.until(|event| event["account"] == "bob@example.net" && event["state"] == "NLN");
    for text in [
        "hello",
        "Grüße, 世界 🙂",
        r#"","do":"quit"}"#,
        r#"\" \\ "text":"x","chat":99 $(id) `id` %s%n"#,
        "two\nlines\tand \u{1b}[2J \u{202e}",
    ] {
        let text = serde_json::json!({"do": "send", "to": "bob@example.net", "text": text});
        alice.say(&format!("{text}\n"));
        assert_eq!(alice.until_type("message")["text"], text["text"]);
    }
    // A bot that ends takes its session with it.
    let pid = i32::try_from(bot.0.id()).map(Pid::from_raw).expect("a process id");
    kill(pid, Signal::SIGTERM).expect("it still runs");
    serve.until(|event| event["type"] == "signed_out" && event["account"] == "bob@example.net");
    bot.0.wait().expect("it is ours");
    alice.end().assert_code(0);
}

#[test]
fn the_bot_in_shell_answers() {
    is_a_good_bot("sh", "echo.sh");
}

#[test]
fn the_bot_in_python_answers() {
    is_a_good_bot("python3", "echo.py");
}
