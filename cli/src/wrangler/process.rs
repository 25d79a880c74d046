//! Running a program to its end, or to ours: a time limit, an interrupt, and no child left behind.
//!
//! The program gets a process group of its own, so that what it started ends with it. A terminal's interrupt then reaches
//! this process only: it is noticed here, handed on, and everything that holds a temporary file is dropped in order.

use std::io::{ErrorKind, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::interrupt::interrupts;

/// The most bytes that are read of a stream.
const STREAM_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// How often the program is looked at.
const PAUSE: Duration = Duration::from_millis(10);
/// How long a program has to end itself, and its streams to close.
const GRACE: Duration = Duration::from_secs(2);

/// A program that ended by itself.
pub(super) struct Finished {
    pub(super) success: bool,
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// A program that did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// There is no such program.
    NotFound,
    /// It cannot be started.
    NotStarted,
    /// It took longer than its limit.
    TooSlow,
    /// It ended, and something that it started goes on holding its output.
    HeldOpen,
    /// It printed more than anybody reads.
    TooMuch,
    /// We were told to stop.
    Interrupted,
}

/// Runs a program with nothing on stdin.
pub(super) fn run(mut command: Command, limit: Duration) -> Result<Finished, Trouble> {
    let interrupted = interrupts();
    if interrupted.load(Ordering::Relaxed) {
        return Err(Trouble::Interrupted);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    own_group(&mut command);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => Trouble::NotFound,
        _ => Trouble::NotStarted,
    })?;
    let streams = (reader(child.stdout.take()), reader(child.stderr.take()));
    let status = match wait(&mut child, limit, &interrupted) {
        Ok(status) => status,
        Err(trouble) => {
            end(&mut child);
            return Err(trouble);
        }
    };
    // A grandchild may hold the streams open for ever.
    let texts = (streams.0.recv_timeout(GRACE), streams.1.recv_timeout(GRACE));
    let (Ok(stdout), Ok(stderr)) = texts else {
        signal_group(&child, true);
        return Err(Trouble::HeldOpen);
    };
    let (Some(stdout), Some(stderr)) = (stdout, stderr) else { return Err(Trouble::TooMuch) };
    Ok(Finished { success: status.success(), code: status.code(), stdout, stderr })
}

fn wait(child: &mut Child, limit: Duration, interrupted: &AtomicBool) -> Result<ExitStatus, Trouble> {
    #[allow(clippy::disallowed_methods, reason = "a time limit needs a clock that does not jump")]
    let start = Instant::now();
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Ok(status);
        }
        if interrupted.load(Ordering::Relaxed) {
            return Err(Trouble::Interrupted);
        }
        if start.elapsed() >= limit {
            return Err(Trouble::TooSlow);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Asks the program and all it started to end, then makes them.
fn end(child: &mut Child) {
    signal_group(child, false);
    // Never set: nothing interrupts the end.
    let _ = wait(child, GRACE, &AtomicBool::new(false));
    signal_group(child, true);
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads a stream in a thread of its own, so that a full pipe never stops the program. `None`: there was too much.
fn reader(stream: Option<impl Read + Send + 'static>) -> Receiver<Option<String>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(stream) = stream {
            // A stream that breaks has said what it said.
            let _ = stream.take(STREAM_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes);
        }
        let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= STREAM_BYTES_MAX);
        // Nobody listens any more once the program was ended.
        let _ = sender.send(fits.then(|| String::from_utf8_lossy(&bytes).into_owned()));
    });
    receiver
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(unix)]
fn signal_group(child: &Child, kill: bool) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let signal = if kill { Signal::KILL } else { Signal::TERM };
    // A group that is gone has ended, which is what was wanted.
    let _ = kill_process_group(Pid::from_child(child), signal);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

#[cfg(not(unix))]
fn signal_group(_: &Child, _: bool) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn what_a_program_says_and_its_code_come_back() {
        let finished = run(shell("echo out; echo err >&2; cat; exit 3"), LONG).ok().unwrap();
        assert_eq!((finished.stdout.as_str(), finished.stderr.as_str()), ("out\n", "err\n"), "and stdin is empty");
        assert_eq!((finished.success, finished.code), (false, Some(3)));
    }

    #[test]
    fn a_program_that_is_not_there_is_not_found() {
        assert_eq!(run(Command::new("./no/such/program"), LONG).err(), Some(Trouble::NotFound));
        assert_eq!(run(Command::new("/"), LONG).err(), Some(Trouble::NotStarted), "a directory");
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "measures the limit itself")]
    fn a_slow_program_is_ended_with_all_it_started() {
        let directory = tempfile::tempdir().unwrap();
        let late = directory.path().join("late");
        let script = format!("(sleep 4; touch {0}) & trap '' TERM; sleep 4; touch {0}", late.display());
        let start = Instant::now();
        assert_eq!(run(shell(&script), Duration::from_millis(200)).err(), Some(Trouble::TooSlow));
        assert!(start.elapsed() < Duration::from_secs(4), "it did not wait for it");
        std::thread::sleep(Duration::from_millis(4_500).saturating_sub(start.elapsed()));
        assert!(!late.exists(), "something was left behind");
    }

    #[test]
    fn a_stream_that_a_grandchild_holds_open_does_not_hold_us() {
        assert_eq!(run(shell("sleep 30 & echo done"), LONG).err(), Some(Trouble::HeldOpen));
    }

    #[test]
    fn a_flood_is_refused() {
        let result = run(shell("yes agentkeys | head -c 34000000"), LONG);
        assert_eq!(result.err(), Some(Trouble::TooMuch));
    }
}
