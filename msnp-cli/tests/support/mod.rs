//! Runs the program itself and waits for what it says. Nothing here sleeps: what is waited for is
//! a line, or the end of the process.
#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod client;
pub(crate) mod fake;

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Once};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// How long anything may take. Only a test that fails waits that long.
const PATIENCE: Duration = Duration::from_secs(300);

/// A host that has no address. A part of a name may not be empty, so no name server is asked, and
/// none can be slow or think otherwise.
pub(crate) const NOWHERE: &str = "nowhere..invalid";

/// Where nobody listens. No system gives this port to whoever asks for any, so nobody else has it
/// meanwhile.
pub(crate) const CLOSED: &str = "127.0.0.1:1";

/// Users of the tests' servers, each other's contacts.
pub(crate) const USERS: &str = "
[[user]]
account = \"alice@example.net\"
password = \"geheim-alice\"
name = \"Alice\"
contacts = [\"bob@example.net\"]

[[user]]
account = \"bob@example.net\"
password = \"geheim-bob\"
name = \"Bob\"
contacts = [\"alice@example.net\"]
";

/// A run of the program.
pub(crate) struct Msnp {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    reader: Option<JoinHandle<()>>,
    stderr: Option<JoinHandle<String>>,
    seen: Vec<String>,
}

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) lines: Vec<String>,
    pub(crate) stderr: String,
}

/// Has programs that the tests start honour these signals, also if the tests run under `nohup` or in
/// the background of a shell: a signal with a handler is as usual for who is started.
pub(crate) fn honour_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("it tells");
        let mask = u64::from_str_radix(mask.trim(), 16).expect("hexadecimal");
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].map(|signal| signal as i32)
        {
            if mask >> (signal - 1) & 1 == 1 {
                signal_hook::flag::register(signal, Arc::default()).expect("a handler");
            }
        }
    });
}

fn command(args: &[&str]) -> Command {
    honour_signals();
    let mut command = Command::new(env!("CARGO_BIN_EXE_msnp"));
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["MSNP_SERVER", "MSNP_ACCOUNT", "MSNP_PASSWORD", "MSNP_CONFIG", "NO_COLOR"] {
        command.env_remove(name);
    }
    // Whoever runs the tests may have a configuration of their own; ours is more patient than usual.
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/config");
    command.env("XDG_CONFIG_HOME", config);
    command
}

fn command_as(name: &str, server: &str, args: &[&str]) -> Command {
    let mut command = command(args);
    command
        .env("MSNP_SERVER", server)
        .env("MSNP_ACCOUNT", format!("{name}@example.net"))
        .env("MSNP_PASSWORD", format!("geheim-{name}"));
    command
}

impl Msnp {
    /// Starts it with these words.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::of(command(args))
    }

    /// Starts it as one of the users of [`USERS`].
    pub(crate) fn start_as(name: &str, server: &str, args: &[&str]) -> Self {
        Self::of(command_as(name, server, args))
    }

    /// Starts it with these words in this environment.
    pub(crate) fn start_in(environment: &[(&str, &str)], args: &[&str]) -> Self {
        let mut command = command(args);
        command.envs(environment.iter().copied());
        Self::of(command)
    }

    /// Starts it in a folder of its own.
    pub(crate) fn start_at(folder: &Folder, args: &[&str]) -> Self {
        let mut command = command(args);
        command.current_dir(&folder.0);
        Self::of(command)
    }

    /// Starts it from a shell, which does this before.
    pub(crate) fn start_after(before: &str, args: &[&str]) -> Self {
        Self::of(in_shell(&format!("{before} && exec \"$@\""), args))
    }

    /// Starts it with its stdout going to a file.
    pub(crate) fn start_to(path: &str, args: &[&str]) -> Child {
        let file = fs::File::options().write(true).open(path).expect("it is there");
        command(args).stdout(file).spawn().expect("the program is built")
    }

    /// Starts it as one of the users of [`USERS`], with its stdout going to this.
    pub(crate) fn start_as_to(
        name: &str,
        server: &str,
        stdout: impl Into<Stdio>,
        args: &[&str],
    ) -> Child {
        let mut command = command_as(name, server, args);
        command.stdout(stdout).spawn().expect("the program is built")
    }

    /// Starts it as one of the users of [`USERS`], with these as stdin, stdout and stderr.
    pub(crate) fn start_as_on(
        name: &str,
        server: &str,
        ends: [impl Into<Stdio>; 3],
        args: &[&str],
    ) -> Child {
        let [stdin, stdout, stderr] = ends;
        let mut command = command_as(name, server, args);
        command.stdin(stdin).stdout(stdout).stderr(stderr);
        command.spawn().expect("the program is built")
    }

    /// Starts it with this as its stdin.
    pub(crate) fn start_from(stdin: impl Into<Stdio>, args: &[&str]) -> Self {
        let mut command = command(args);
        command.stdin(stdin);
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program is built");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let mut stderr = child.stderr.take().expect("stderr is a pipe");
        let (tell, lines) = mpsc::channel();
        let reader = thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                // Dropping the receiver closes the pipe.
                if tell.send(line.expect("stdout is UTF-8")).is_err() {
                    break;
                }
            }
        });
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).expect("stderr is UTF-8");
            text
        });
        Self { child, stdin, lines, reader: Some(reader), stderr: Some(stderr), seen: Vec::new() }
    }

    /// Starts a server of [`USERS`] at free ports, and returns its address too.
    pub(crate) fn serve(more: &[&str]) -> (Self, String) {
        let folder = Folder::new();
        let users = folder.file("users.toml", USERS, 0o600);
        let mut args = vec!["serve", "--listen", "127.0.0.1:0", "-o", "json", "--users"];
        args.push(users.to_str().expect("an ASCII path"));
        args.extend(more);
        let mut serve = Self::start(&args);
        let ready = serve.until(|event| event["type"] == "ready");
        let at = ready["listen"].as_str().expect("an address").to_owned();
        (serve, at)
    }

    /// Starts a server of a data file at free ports, and returns its address too.
    pub(crate) fn serve_data(path: &str, more: &[&str]) -> (Self, String) {
        let args = ["serve", "--listen", "127.0.0.1:0", "-o", "json", "--data", path];
        let mut serve = Self::start(&[&args, more].concat());
        let ready = serve.until(|event| event["type"] == "ready");
        let at = ready["listen"].as_str().expect("an address").to_owned();
        (serve, at)
    }

    /// Ends it without a word, as the loss of power would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it still runs");
        self.child.wait().expect("it is ours");
    }

    /// Waits for the first event from here on that fits.
    pub(crate) fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("what was waited for did not come; until then:\n{}", self.seen.join("\n"));
            };
            let event = parse(&line);
            self.seen.push(line);
            if fits(&event) {
                return event;
            }
        }
    }

    /// The lines that were waited for, or passed over meanwhile.
    pub(crate) fn seen(&self) -> &[String] {
        &self.seen
    }

    pub(crate) fn until_type(&mut self, name: &str) -> Value {
        self.until(|event| event["type"] == name)
    }

    pub(crate) fn say(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin.write_all(text.as_bytes()).expect("the program reads");
    }

    /// Says something to a program that may have ended without reading it.
    pub(crate) fn say_if_read(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        match stdin.write_all(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            result => result.expect("the program reads or has ended"),
        }
    }

    /// Waits for its end and returns its code, when nobody reads what it says.
    pub(crate) fn code(mut self) -> i32 {
        self.stdin = None;
        self.child.wait().expect("it is ours").code().unwrap_or(-1)
    }

    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Stops reading what it says, as `head` does: with the next line its stdout is closed.
    pub(crate) fn close_stdout(&mut self) {
        self.lines = mpsc::channel().1;
    }

    /// Waits until its stdout is closed.
    pub(crate) fn until_closed(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader does not panic");
        }
    }

    pub(crate) fn signal(&self, to_send: Signal) {
        signal(&self.child, to_send);
    }

    pub(crate) fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        self.stdin = None;
        self.end_with_stdin()
    }

    /// Waits for its end while stdin stays open.
    pub(crate) fn end_with_stdin(mut self) -> Ended {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.seen.push(line);
        }
        let status = self.child.wait().expect("it is ours");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader does not panic");
        }
        let stderr = self.stderr.take().map(|thread| thread.join().expect("no panic"));
        Ended {
            code: status.code().unwrap_or(-1),
            lines: std::mem::take(&mut self.seen),
            stderr: stderr.unwrap_or_default(),
        }
    }
}

/// A stdout that nobody reads.
pub(crate) fn unread() -> Stdio {
    let (_, ours) = UnixStream::pair().expect("two ends");
    OwnedFd::from(ours).into()
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).map(Pid::from_raw);
    kill(pid.expect("a process id"), signal).expect("it still runs");
}

impl Drop for Msnp {
    fn drop(&mut self) {
        // It has most likely ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// All events, after a look at what holds for every stream of them.
    pub(crate) fn events(&self) -> Vec<Value> {
        let events: Vec<Value> = self.lines.iter().map(|line| parse(line)).collect();
        for (seq, event) in events.iter().enumerate() {
            assert_eq!((&event["v"], &event["seq"]), (&1.into(), &seq.into()), "{event}");
            let t = event["t"].as_str().expect("a time");
            assert!(t.len() == 24 && humantime::parse_rfc3339(t).is_ok(), "{t}");
            assert!(event["type"].is_string(), "{event}");
        }
        let Some(done) = events.last() else { panic!("no event, {}: {}", self.code, self.stderr) };
        assert_eq!((&done["type"], &done["exit"]), (&"done".into(), &self.code.into()));
        events
    }

    /// The types of all events, in order.
    pub(crate) fn types(&self) -> Vec<String> {
        let name = |event: &Value| event["type"].as_str().unwrap_or_default().to_owned();
        self.events().iter().map(name).collect()
    }

    /// The events of one type.
    pub(crate) fn all(&self, name: &str) -> Vec<Value> {
        self.events().into_iter().filter(|event| event["type"] == name).collect()
    }

    #[track_caller]
    pub(crate) fn assert_code(&self, code: i32) {
        let lines = self.lines.join("\n");
        assert_eq!(self.code, code, "\nstdout:\n{lines}\nstderr:\n{}", self.stderr);
    }
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// Runs it to its end.
pub(crate) fn run(args: &[&str]) -> Ended {
    Msnp::start(args).end()
}

/// A run that gets somewhere and then waits for a limit, which is longer if the machine was too slow
/// to get there.
pub(crate) fn with_limit(run: impl Fn(&str) -> Ended, is_there: impl Fn(&Ended) -> bool) -> Ended {
    for limit in ["300ms", "3s"] {
        let ended = run(limit);
        if is_there(&ended) {
            return ended;
        }
    }
    run("20s")
}

/// Runs it to its end from a shell, with redirections that only a shell can do.
pub(crate) fn shell(args: &[&str], redirection: &str) -> Ended {
    Msnp::of(in_shell(&format!("exec \"$@\" {redirection}"), args)).end()
}

/// A shell with a script, which has the program and its arguments as its own.
fn in_shell(script: &str, args: &[&str]) -> Command {
    let program = command(args);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg("sh").arg(program.get_program());
    shell.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

/// Runs it to its end in this environment.
pub(crate) fn run_in(environment: &[(&str, &str)], args: &[&str]) -> Ended {
    Msnp::start_in(environment, args).end()
}

/// Runs `serve --data path user` and the rest with this password to its end.
pub(crate) fn user(path: &str, password: &str, args: &[&str]) -> Ended {
    let mut command = command(&["serve", "--data", path, "user"]);
    command.args(args).env("MSNP_PASSWORD", password).args(["-o", "json"]);
    Msnp::of(command).end()
}

/// A data file with these users, the password of each `geheim-` and the part before the `@`.
pub(crate) fn data_file(path: &str, names: &[&str]) {
    for name in names {
        let account = format!("{name}@example.net");
        user(path, &format!("geheim-{name}"), &["add", &account]).assert_code(0);
    }
}

/// A folder that is removed again.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("msnp-run-{}-{number}", std::process::id());
            let path = std::env::temp_dir().join(name);
            match fs::create_dir(&path) {
                Ok(()) => return Self(path),
                // Of a process that had our number before us and was killed.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
    }

    pub(crate) fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("a writable folder");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("our own file");
        path
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("an ASCII path").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in a temporary folder does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}
