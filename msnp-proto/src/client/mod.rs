//! The composed client: one account, its roster, and its chats, over as many connections as that
//! takes.
//!
//! The client knows when to connect where, follows referrals, and keeps a chat together through
//! several switchboards. What is said on a connection is the business of
//! [`Notification`] and [`Switchboard`](crate::sb::Switchboard).

mod chats;
mod config;
mod conns;
mod event;
mod host;
mod people;
mod reconnect;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use chats::{Chats, Line, Waiting};
pub use config::{Config, SignIn};
use conns::{Conns, Entry, Role};
pub use event::{
    ChatId, Content, Event, Failure, MessageId, Outcome, RequestId, RosterChange, Warning,
};
use reconnect::Backoff;
pub use reconnect::Reconnect;

use crate::body::{Format, text};
use crate::error::{Lost, Misuse};
use crate::limits;
use crate::machine::{ConnId, Output, Target};
use crate::ns::{Credentials, Notification, Roster};
use crate::sb;
use crate::time::Instant;
use crate::types::{Delivery, Dialect, Handle, Nick, Status};

/// A client: signs in, follows people's presence, and chats.
///
/// It is a [`Host`](crate::machine::Host): a driver opens and feeds its connections. Commands are plain methods, to be
/// called between two turns of the driver's loop; what comes of them are [`Event`]s.
///
/// ```
/// use msnp_proto::client::{Client, Config, SignIn};
/// use msnp_proto::machine::{Host, Output, Target};
/// use msnp_proto::time::Instant;
/// use msnp_proto::types::Handle;
///
/// let mut client = Client::new(Config::new());
/// let server = Target { host: "messenger.example.net".into(), port: 1863 };
/// let alice = Handle::new("alice@example.net").unwrap();
/// client.sign_in(Instant::ZERO, SignIn::new(alice, "Pa55word".into(), server))?;
///
/// // The driver is asked to connect, says that it has, and is given the first bytes to write.
/// let Some(Output::Connect { conn, .. }) = client.poll_output() else { panic!() };
/// client.handle_connected(Instant::ZERO, conn);
/// assert_eq!(client.pending(conn), b"VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n");
/// # Ok::<(), msnp_proto::error::Misuse>(())
/// ```
#[derive(Debug)]
pub struct Client {
    config: Config,
    outputs: VecDeque<Output<Event>>,
    conns: Conns,
    chats: Chats,
    session: Session,
    backoff: Option<Backoff>,
    /// When to sign in again, and as whom.
    again: Option<(Instant, SignIn)>,
    last_message: u64,
    last_request: u64,
    draft: Draft,
}

/// Where the payload of a text is put together. The header stays for the next one.
#[derive(Debug, Default)]
struct Draft {
    payload: Vec<u8>,
    head: usize,
    format: Option<Format>,
}

impl Draft {
    fn write(&mut self, format: &Format, content: &str) {
        if self.format.as_ref() != Some(format) {
            self.payload.clear();
            text::write_head(&mut self.payload, format);
            self.head = self.payload.len();
            self.format = Some(*format);
        }
        self.payload.truncate(self.head);
        self.payload.shrink_to(DRAFT);
        text::write_body(&mut self.payload, content);
    }
}

/// Room that is kept for the next text: one that fits a switchboard.
const DRAFT: usize = limits::SWITCHBOARD_PAYLOAD;

/// What is signed in, or on its way there.
#[derive(Debug)]
enum Session {
    /// The roster of the last session stays to be read.
    None(Roster),
    Some {
        /// The connection to the server of the moment.
        conn: ConnId,
        /// The server to begin with.
        server: Target,
        credentials: Credentials,
        /// The roster, while no machine has it.
        roster: Option<Roster>,
        /// Referrals followed since the last success.
        referrals: u8,
        /// When sign-in must have come to its end.
        deadline: Option<Instant>,
    },
}

impl Client {
    /// A client that is not signed in.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let backoff = config.reconnect.clone().map(Backoff::new);
        Self {
            config,
            outputs: VecDeque::new(),
            conns: Conns::default(),
            chats: Chats::default(),
            session: Session::None(Roster::new()),
            backoff,
            again: None,
            last_message: 0,
            last_request: 0,
            draft: Draft::default(),
        }
    }

    /// Begins to sign in. It ends with [`Event::Online`] or [`Event::Lost`]. An attempt that the
    /// client would make by itself is made no more.
    ///
    /// # Errors
    ///
    /// [`Misuse::AlreadyOnline`].
    pub fn sign_in(&mut self, now: Instant, sign_in: SignIn) -> Result<(), Misuse> {
        if matches!(self.session, Session::Some { .. }) {
            return Err(Misuse::AlreadyOnline);
        }
        self.again = None;
        if let Some(backoff) = &mut self.backoff {
            backoff.begin();
        }
        self.begin(now, sign_in);
        Ok(())
    }

    fn begin(&mut self, now: Instant, sign_in: SignIn) {
        let SignIn { account, password, server, status, roster } = sign_in;
        let conn = self.connect(Role::ToNotification(server.clone()), server.clone());
        self.session = Session::Some {
            conn,
            server,
            credentials: Credentials { account, password, status },
            roster: Some(roster.unwrap_or_default()),
            referrals: 0,
            deadline: Some(now + self.config.waits.sign_in),
        };
    }

    /// Leaves all chats and signs out. The goodbyes are pending then; the driver closes each
    /// connection behind them. A session that was lost before is not tried again.
    pub fn sign_out(&mut self, now: Instant) {
        self.again = None;
        self.lose(now, Lost::SignedOut);
    }

    /// When the client will sign in again by itself; `None` if it is signed in, on its way, or done.
    #[must_use]
    pub fn next_attempt(&self) -> Option<Instant> {
        self.again.as_ref().map(|(at, _)| *at)
    }

    /// Whether a status is set, so that chats can be opened.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.notification().is_some_and(Notification::is_online)
    }

    /// Whether there are no connections any more.
    #[must_use]
    pub fn is_disconnected(&self) -> bool {
        self.conns.iter().next().is_none()
    }

    /// One's own account, in the server's spelling once it is signed in.
    #[must_use]
    pub fn account(&self) -> Option<&Handle> {
        match &self.session {
            Session::None(_) => None,
            Session::Some { credentials, .. } => {
                let told = self.notification().and_then(Notification::account);
                Some(told.unwrap_or(&credentials.account))
            }
        }
    }

    /// One's own display name, once signed in.
    #[must_use]
    pub fn nick(&self) -> Option<&Nick> {
        self.notification().and_then(Notification::nick)
    }

    /// One's own status, once online.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.notification().and_then(Notification::status)
    }

    /// The dialect that was agreed with the server of the moment.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        self.notification().filter(|ns| ns.account().is_some()).map(Notification::dialect)
    }

    /// Lists, groups, names, presence and settings, as the server last told them.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        static EMPTY: Roster = Roster::new();
        match (&self.session, self.notification()) {
            (_, Some(notification)) => notification.roster(),
            (Session::None(roster), None) | (Session::Some { roster: Some(roster), .. }, None) => {
                roster
            }
            (Session::Some { roster: None, .. }, None) => &EMPTY,
        }
    }

    /// Sets one's own status. Answered by [`Event::Done`] or [`Event::Refused`].
    ///
    /// # Errors
    ///
    /// [`Misuse::NotOnline`], [`Misuse::Backlog`].
    pub fn set_status(&mut self, now: Instant, status: Status) -> Result<RequestId, Misuse> {
        let request = RequestId(self.last_request.wrapping_add(1));
        let (conn, notification) = self.notification_mut().ok_or(Misuse::NotOnline)?;
        notification.set_status(now, request, status)?;
        self.last_request = request.0;
        self.pump(now, conn);
        Ok(request)
    }

    /// Opens a chat and calls somebody into it. What comes of it is [`Event::Joined`] or
    /// [`Event::NotReached`]; texts may be given before.
    ///
    /// # Errors
    ///
    /// [`Misuse::NotOnline`], [`Misuse::Backlog`] if too many chats are open.
    pub fn open_chat(&mut self, now: Instant, with: &Handle) -> Result<ChatId, Misuse> {
        if !self.is_online() {
            return Err(Misuse::NotOnline);
        }
        let limit = self.config.chats;
        let chat = self.chats.open(now, with.clone(), limit).ok_or(Misuse::Backlog)?;
        if let Err(misuse) = self.ensure_line(now, chat) {
            self.chats.remove(chat);
            return Err(misuse);
        }
        let with = with.clone();
        self.tell(Event::ChatOpened { chat, with, incoming: false });
        Ok(chat)
    }

    /// Calls one more person into a chat.
    ///
    /// # Errors
    ///
    /// [`Misuse::NoSuchChat`], [`Misuse::NotOnline`], [`Misuse::Already`] if they are in it or
    /// being called, [`Misuse::Backlog`].
    pub fn invite(&mut self, now: Instant, chat: ChatId, who: &Handle) -> Result<(), Misuse> {
        let line = self.chats.get(chat).ok_or(Misuse::NoSuchChat)?.line;
        if let Some((conn, switchboard)) = self.switchboard_mut(line) {
            if switchboard.is_inside() {
                switchboard.call(now, who)?;
                self.pump(now, conn);
            }
        } else {
            self.ensure_line(now, chat)?;
        }
        if let Some(chat) = self.chats.get_mut(chat) {
            chat.add_person(who);
        }
        Ok(())
    }

    /// Says a text to everybody in a chat, in plain format. What comes of it is one
    /// [`Event::Delivery`]; until somebody is there the text waits, and a chat that has lost its
    /// switchboard opens a new one.
    ///
    /// # Errors
    ///
    /// [`Misuse::TooLong`] if [`payload_len`] is over [`limits::SWITCHBOARD_PAYLOAD`],
    /// [`Misuse::NoSuchChat`], [`Misuse::NotOnline`], [`Misuse::Backlog`]. Nothing is sent then.
    pub fn send_text(
        &mut self,
        now: Instant,
        chat: ChatId,
        content: &str,
        delivery: Delivery,
    ) -> Result<MessageId, Misuse> {
        self.send_formatted(now, chat, &Format::ARIAL, content, delivery)
    }

    /// As [`Client::send_text`], in a format of one's own.
    ///
    /// # Errors
    ///
    /// As [`Client::send_text`].
    pub fn send_formatted(
        &mut self,
        now: Instant,
        chat: ChatId,
        format: &Format,
        content: &str,
        delivery: Delivery,
    ) -> Result<MessageId, Misuse> {
        let mut draft = core::mem::take(&mut self.draft);
        draft.write(format, content);
        let sent = self.send_checked(now, chat, &draft.payload, delivery);
        self.draft = draft;
        sent
    }

    /// Says a payload of any type: headers, an empty line, a body.
    ///
    /// # Errors
    ///
    /// As [`Client::send_text`]; a payload without an empty line is
    /// [`Misuse::Invalid`], because servers drop it without a word.
    pub fn send_payload(
        &mut self,
        now: Instant,
        chat: ChatId,
        payload: &[u8],
        delivery: Delivery,
    ) -> Result<MessageId, Misuse> {
        if memchr::memmem::find(payload, b"\r\n\r\n").is_none() {
            return Err(Misuse::Invalid(crate::error::Expected::Payload));
        }
        self.send_checked(now, chat, payload, delivery)
    }

    fn send_checked(
        &mut self,
        now: Instant,
        chat: ChatId,
        payload: &[u8],
        delivery: Delivery,
    ) -> Result<MessageId, Misuse> {
        let (size, limit) = (payload.len(), limits::SWITCHBOARD_PAYLOAD);
        if size > limit {
            return Err(Misuse::TooLong { size, limit });
        }
        if !self.is_online() {
            return Err(Misuse::NotOnline);
        }
        let message = MessageId(self.last_message.wrapping_add(1));
        let entry = self.chats.get_mut(chat).ok_or(Misuse::NoSuchChat)?;
        entry.touch(now);
        let (line, nobody_waits) = (entry.line, entry.waiting.is_empty());
        if let Some((conn, switchboard)) = self.switchboard_mut(line) {
            if nobody_waits && switchboard.members().next().is_some() {
                switchboard.send(now, message, delivery, payload)?;
                self.last_message = message.0;
                self.announce(conn);
                return Ok(message);
            }
        }
        let most = self.config.waiting_texts;
        if self.chats.get(chat).is_some_and(|chat| chat.waiting.len() >= most) {
            return Err(Misuse::Backlog);
        }
        self.ensure_line(now, chat)?;
        self.last_message = message.0;
        if let Some(chat) = self.chats.get_mut(chat) {
            let payload = payload.to_vec();
            chat.waiting.push_back(Waiting { message, delivery, payload });
        }
        self.tell(Event::Queued { message });
        Ok(message)
    }

    /// Tells everybody in a chat that we are typing. Nothing is heard of it.
    ///
    /// # Errors
    ///
    /// [`Misuse::NoSuchChat`], [`Misuse::NotOnline`] if nobody is there, [`Misuse::Backlog`].
    pub fn send_typing(&mut self, now: Instant, chat: ChatId) -> Result<(), Misuse> {
        let line = self.chats.get(chat).ok_or(Misuse::NoSuchChat)?.line;
        let (conn, switchboard) = self.switchboard_mut(line).ok_or(Misuse::NotOnline)?;
        if switchboard.members().next().is_none() {
            return Err(Misuse::NotOnline);
        }
        switchboard.send_typing(now)?;
        self.announce(conn);
        Ok(())
    }

    /// Leaves a chat and forgets it. Texts that wait have failed then.
    ///
    /// # Errors
    ///
    /// [`Misuse::NoSuchChat`].
    pub fn leave_chat(&mut self, now: Instant, chat: ChatId) -> Result<(), Misuse> {
        let line = self.chats.get(chat).ok_or(Misuse::NoSuchChat)?.line;
        self.close_line(now, chat, line, Lost::SignedOut);
        self.chats.remove(chat);
        Ok(())
    }

    /// The people in a chat right now, without us.
    pub fn members(&self, chat: ChatId) -> impl Iterator<Item = (&Handle, &Nick)> {
        let conn = self.chats.get(chat).and_then(|chat| match chat.line {
            Line::Conn(conn) => self.conns.get(conn),
            Line::None | Line::Asked => None,
        });
        let switchboard = conn.and_then(|conn| match &conn.role {
            Role::Switchboard(_, switchboard) => Some(switchboard),
            _ => None,
        });
        switchboard.into_iter().flat_map(|switchboard| switchboard.members())
    }

    /// How many bytes of a connection were looked at in search of line ends, in all; 0 if it is
    /// gone.
    #[must_use]
    pub fn scanned(&mut self, conn: ConnId) -> u64 {
        match self.conns.get_mut(conn).map(|conn| &mut conn.role) {
            Some(Role::Notification(machine)) => machine.scanned(),
            Some(Role::Switchboard(_, machine)) => machine.scanned(),
            _ => 0,
        }
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn connect(&mut self, role: Role, to: Target) -> ConnId {
        let conn = self.conns.insert(role);
        self.outputs.push_back(Output::Connect { conn, to });
        conn
    }

    fn notification(&self) -> Option<&Notification> {
        let Session::Some { conn, .. } = self.session else { return None };
        match &self.conns.get(conn)?.role {
            Role::Notification(notification) => Some(notification),
            _ => None,
        }
    }

    fn notification_mut(&mut self) -> Option<(ConnId, &mut Notification)> {
        let Session::Some { conn, .. } = self.session else { return None };
        match &mut self.conns.get_mut(conn)?.role {
            Role::Notification(notification) => Some((conn, notification)),
            _ => None,
        }
    }

    fn switchboard_mut(&mut self, line: Line) -> Option<(ConnId, &mut sb::Switchboard)> {
        let Line::Conn(conn) = line else { return None };
        match &mut self.conns.get_mut(conn)?.role {
            Role::Switchboard(_, switchboard) => Some((conn, switchboard)),
            _ => None,
        }
    }

    /// Sees to it that the people of a chat are there or on their way.
    fn ensure_line(&mut self, now: Instant, chat: ChatId) -> Result<(), Misuse> {
        let entry = self.chats.get_mut(chat).ok_or(Misuse::NoSuchChat)?;
        if entry.line != Line::None {
            return Ok(());
        }
        let (conn, notification) = self.notification_mut().ok_or(Misuse::NotOnline)?;
        notification.ask_switchboard(now, chat.0)?;
        if let Some(chat) = self.chats.get_mut(chat) {
            chat.line = Line::Asked;
        }
        self.pump(now, conn);
        Ok(())
    }

    /// Goes into a switchboard for a chat.
    fn enter(&mut self, chat: ChatId, to: Target, entry: Entry) {
        let conn = self.connect(Role::ToSwitchboard(chat, entry), to);
        if let Some(chat) = self.chats.get_mut(chat) {
            chat.line = Line::Conn(conn);
        }
    }
}

/// The size of the payload that [`Client::send_text`] makes of a text, to be compared with
/// [`limits::SWITCHBOARD_PAYLOAD`] before anything is connected.
#[must_use]
pub fn payload_len(content: &str) -> usize {
    text::payload_len(&Format::ARIAL, content)
}
