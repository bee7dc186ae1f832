//! What may be done in a chat: call people, say something, leave.

use alloc::vec::Vec;

use super::chats::{Line, Waiting};
use super::conns::{Entry, Role};
use super::{ChatId, Client, Event, MessageId};
use crate::body::{Format, text};
use crate::error::{Expected, Lost, Misuse};
use crate::limits;
use crate::machine::Target;
use crate::time::Instant;
use crate::types::{Delivery, Handle, Nick};

impl Client {
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
            } else {
                self.call_later(chat, who)?;
            }
        } else if let Line::Conn(_) = line {
            self.call_later(chat, who)?;
        } else {
            self.ensure_line(now, chat)?;
        }
        if let Some(chat) = self.chats.get_mut(chat) {
            chat.add_person(who);
        }
        Ok(())
    }

    /// Somebody is to be called once we are in the switchboard to which we are on our way.
    fn call_later(&mut self, chat: ChatId, who: &Handle) -> Result<(), Misuse> {
        let most = self.config.people;
        let entry = self.chats.get_mut(chat).ok_or(Misuse::NoSuchChat)?;
        if entry.people.contains(who) {
            return Err(Misuse::Already);
        }
        if entry.invited.len() >= most {
            return Err(Misuse::Backlog);
        }
        entry.invited.push(who.clone());
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
            return Err(Misuse::Invalid(Expected::Payload));
        }
        self.send_checked(now, chat, payload, delivery)
    }

    pub(super) fn send_checked(
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
            chat.waiting.push_back(Waiting { message, delivery, payload, only: None });
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

    /// Leaves a chat and forgets it. Texts that wait have failed then, and files that are only
    /// offered between its two people are withdrawn.
    ///
    /// # Errors
    ///
    /// [`Misuse::NoSuchChat`].
    pub fn leave_chat(&mut self, now: Instant, chat: ChatId) -> Result<(), Misuse> {
        let line = self.chats.get(chat).ok_or(Misuse::NoSuchChat)?.line;
        self.withdraw_transfers(now, chat);
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

    /// Sees to it that the people of a chat are there or on their way.
    pub(super) fn ensure_line(&mut self, now: Instant, chat: ChatId) -> Result<(), Misuse> {
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
    pub(super) fn enter(&mut self, chat: ChatId, to: Target, entry: Entry) {
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

/// Where the payload of a text is put together. The header stays for the next one.
#[derive(Debug, Default)]
pub(super) struct Draft {
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
