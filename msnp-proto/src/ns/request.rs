//! What a client says to a dispatch or notification server.

use crate::types::{
    Account, GroupId, List, ListVersion, Name, OnOff, Privacy, Prompt, StatusCode, Token, TrId,
    Words,
};
use crate::wire::{Body, commands};

commands! {
    /// What a client says to a dispatch or notification server.
    pub enum Request {
        "VER" 2 "DN" [715] {
            /// Offers dialects, best first, `CVR0` last. The first command of a connection.
            Ver {
                /// Its id.
                trid: TrId,
                /// The dialects.
                dialects: Words<'a>,
            } = [trid dialects];
        }
        "INF" 2 "DN" [715] {
            /// Asks how to sign in.
            Inf {
                /// Its id.
                trid: TrId,
            } = [trid];
        }
        "USR" 2 "DN" [207 500 600 601 603 605 715 717 910 911 912 914 915 916 917 918 919 920 921 922 923 924] {
            /// Names the account that wants to sign in.
            UsrInitial {
                /// Its id.
                trid: TrId,
                /// The account.
                account: Account<'a>,
            } = [trid "MD5" "I" account];
            /// Answers the server's challenge.
            UsrDigest {
                /// Its id.
                trid: TrId,
                /// MD5 of the challenge followed by the password, in hexadecimal.
                digest: Token<'a>,
            } = [trid "MD5" "S" digest];
        }
        "XFR" 2 "N" [201 280 281 601 707 712 713 714 913] {
            /// Asks for another server: `SB`, a switchboard.
            Xfr {
                /// Its id.
                trid: TrId,
                /// `SB`.
                kind: Token<'a>,
            } = [trid kind];
        }
        "CVR" 2 "N" [420 710 715 731] {
            /// Reports the client's version: six words, seven since MSNP4.
            Cvr {
                /// Its id.
                trid: TrId,
                /// Locale, system, system version, architecture, library, version and codebase.
                report: Words<'a>,
            } = [trid report];
        }
        "CVQ" 2 "D" [] {
            /// As CVR, at a dispatch server that agreed on `CVR0` alone.
            Cvq {
                /// Its id.
                trid: TrId,
                /// As in CVR; the last word may be missing.
                report: Words<'a>,
            } = [trid report];
        }
        "SYN" 2 "N" [402 403 501 603 717] {
            /// Asks for all lists and settings, unless this version of them is known already.
            Syn {
                /// Its id.
                trid: TrId,
                /// The version that is known; 0 for none.
                version: ListVersion,
            } = [trid version];
        }
        "GTC" 2 "N" [218] {
            /// Sets what to do about new people on the reverse list.
            Gtc {
                /// Its id.
                trid: TrId,
                /// The setting.
                prompt: Prompt,
            } = [trid prompt];
        }
        "BLP" 2 "N" [218] {
            /// Sets what holds for people on neither the allow nor the block list.
            Blp {
                /// Its id.
                trid: TrId,
                /// The setting.
                privacy: Privacy,
            } = [trid privacy];
        }
        "PRP" 5 "N" [715 800] {
            /// Sets one's own property; no value clears it.
            Prp {
                /// Its id.
                trid: TrId,
                /// Which property.
                key: Token<'a>,
                /// Its value, percent-encoded.
                value: Option<Name<'a>>,
            } = [trid key [value]];
        }
        "LST" 2 "N" [] {
            /// Asks for one list.
            Lst {
                /// Its id.
                trid: TrId,
                /// The list.
                list: List,
            } = [trid list];
        }
        "LSG" 7 "N" [] {
            /// Asks for the groups.
            Lsg {
                /// Its id.
                trid: TrId,
            } = [trid];
        }
        "ADD" 2 "N" [201 205 206 208 209 210 215 219 224 231 501 800] {
            /// Puts somebody on a list, since MSNP7 into a group of the forward list.
            Add {
                /// Its id.
                trid: TrId,
                /// The list.
                list: List,
                /// Who.
                account: Account<'a>,
                /// The name to keep for them.
                name: Option<Name<'a>>,
                /// The group.
                group: Option<Token<'a>>,
            } = [trid list account [name] [group 7]];
        }
        "REM" 2 "N" [205 216 224 225] {
            /// Takes somebody off a list, or since MSNP7 out of one group.
            Rem {
                /// Its id.
                trid: TrId,
                /// The list.
                list: List,
                /// Who.
                account: Account<'a>,
                /// The group. Some clients say a name here, which means nothing.
                group: Option<Token<'a>>,
            } = [trid list account [group 7]];
        }
        "ADG" 7 "N" [223 228 229] {
            /// Makes a group.
            Adg {
                /// Its id.
                trid: TrId,
                /// Its name.
                name: Name<'a>,
            } = [trid name "0"];
            /// Makes a group; the constant at the end is missing.
            AdgShort {
                /// Its id.
                trid: TrId,
                /// Its name.
                name: Name<'a>,
            } = [trid name];
        }
        "RMG" 7 "N" [224 226 230] {
            /// Deletes a group.
            Rmg {
                /// Its id.
                trid: TrId,
                /// The group.
                group: GroupId,
            } = [trid group];
        }
        "REG" 7 "N" [224 228 229] {
            /// Renames a group.
            Reg {
                /// Its id.
                trid: TrId,
                /// The group.
                group: GroupId,
                /// Its new name.
                name: Name<'a>,
            } = [trid group name "0"];
            /// Renames a group; the constant at the end is missing.
            RegShort {
                /// Its id.
                trid: TrId,
                /// The group.
                group: GroupId,
                /// Its new name.
                name: Name<'a>,
            } = [trid group name];
        }
        "REA" 2 "N" [201 209 216 800] {
            /// Renames oneself, or a contact for oneself.
            Rea {
                /// Its id.
                trid: TrId,
                /// Who.
                account: Account<'a>,
                /// The new name.
                name: Name<'a>,
            } = [trid account name];
        }
        "CHG" 2 "N" [201 218] {
            /// Sets one's own status.
            Chg {
                /// Its id.
                trid: TrId,
                /// The status.
                status: StatusCode<'a>,
            } = [trid status];
        }
        "CHL" 6 "N" [] {
            /// Asks the server for a challenge; rare.
            Chl {
                /// Its id.
                trid: TrId,
            } = [trid];
        }
        "QRY" 6 "N" [540] payload {
            /// Answers a challenge with a digest of 32 hexadecimal digits.
            Qry {
                /// Its id.
                trid: TrId,
                /// Which secret went into the digest.
                client_id: Token<'a>,
                /// The digest.
                digest: Body<'a>,
            } = [trid client_id {digest}];
        }
        "PNG" 2 "N" [] {
            /// Asks for a sign of life.
            Png {} = [];
        }
        "OUT" 2 "DN" [] {
            /// Signs out.
            Out {} = [];
        }
        "FND" 2 "N" [201 300 301 502] {
            /// Searches the directory.
            Fnd {
                /// Its id.
                trid: TrId,
                /// `fname=`, `lname=`, `city=`, `state=` and `country=` with values.
                terms: Words<'a>,
            } = [trid terms];
        }
        "SND" 2 "N" [503] {
            /// Invites somebody by mail.
            Snd {
                /// Its id.
                trid: TrId,
                /// Who.
                account: Account<'a>,
                /// Locale, since MSNP3.
                locale: Option<Token<'a>>,
                /// Library, since MSNP3.
                library: Option<Token<'a>>,
                /// Codebase, since MSNP4.
                codebase: Option<Token<'a>>,
            } = [trid account [locale 3] [library 3] [codebase 4]];
        }
        "SDC" 5 "N" [503] payload {
            /// Invites somebody by mail, with a text.
            Sdc {
                /// Its id.
                trid: TrId,
                /// Who.
                account: Account<'a>,
                /// Locale.
                locale: Token<'a>,
                /// Library.
                library: Token<'a>,
                /// Codebase.
                codebase: Token<'a>,
                /// One's own name.
                name: Name<'a>,
                /// The text.
                text: Body<'a>,
            } = [trid account locale library codebase "X" "X" name {text}];
        }
        "PAG" 5 "N" [220 606 710 800] payload {
            /// Sends a page to somebody's mobile.
            Pag {
                /// Its id.
                trid: TrId,
                /// Who.
                account: Account<'a>,
                /// An XML document.
                page: Body<'a>,
            } = [trid account {page}];
        }
        "IMS" 3 "N" [715] {
            /// Turns invitations to switchboards on or off.
            Ims {
                /// Its id.
                trid: TrId,
                /// Which.
                mode: OnOff,
            } = [trid mode];
        }
        "URL" 2 "N" [502] {
            /// Asks for the address of a service.
            Url {
                /// Its id.
                trid: TrId,
                /// The service.
                service: Token<'a>,
                /// What the service takes.
                parameter: Option<Token<'a>>,
            } = [trid service [parameter]];
        }
    }
}

impl Request<'_> {
    /// The transaction id, if this command has one.
    #[must_use]
    pub fn trid(&self) -> Option<TrId> {
        match *self {
            Self::Png {} | Self::Out {} => None,
            Self::Ver { trid, .. }
            | Self::Inf { trid }
            | Self::UsrInitial { trid, .. }
            | Self::UsrDigest { trid, .. }
            | Self::Xfr { trid, .. }
            | Self::Cvr { trid, .. }
            | Self::Cvq { trid, .. }
            | Self::Syn { trid, .. }
            | Self::Gtc { trid, .. }
            | Self::Blp { trid, .. }
            | Self::Prp { trid, .. }
            | Self::Lst { trid, .. }
            | Self::Lsg { trid }
            | Self::Add { trid, .. }
            | Self::Rem { trid, .. }
            | Self::Adg { trid, .. }
            | Self::AdgShort { trid, .. }
            | Self::Rmg { trid, .. }
            | Self::Reg { trid, .. }
            | Self::RegShort { trid, .. }
            | Self::Rea { trid, .. }
            | Self::Chg { trid, .. }
            | Self::Chl { trid }
            | Self::Qry { trid, .. }
            | Self::Fnd { trid, .. }
            | Self::Snd { trid, .. }
            | Self::Sdc { trid, .. }
            | Self::Pag { trid, .. }
            | Self::Ims { trid, .. }
            | Self::Url { trid, .. } => Some(trid),
        }
    }
}
