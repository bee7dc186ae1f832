//! What a dispatch or notification server says to a client.

use crate::types::{
    Account, Address, GroupId, Groups, Key, List, ListVersion, Name, Number, OnOff, Packages,
    Privacy, Prompt, StatusCode, Token, TrId, Words,
};
use crate::wire::{Body, commands};

commands! {
    /// What a dispatch or notification server says to a client. Refusals by number are
    /// [`ErrorReply`](crate::types::ErrorReply).
    pub enum Reply {
        "VER" 2 "DN" [] {
            /// The dialects that the server accepts; `0` first for none.
            Ver {
                /// The request.
                trid: TrId,
                /// The dialects.
                dialects: Words<'a>,
            } = [trid dialects];
        }
        "INF" 2 "DN" [] {
            /// How to sign in.
            Inf {
                /// The request.
                trid: TrId,
                /// The security packages.
                packages: Packages<'a>,
            } = [trid packages];
        }
        "USR" 2 "DN" [] {
            /// The challenge that the password's digest must answer.
            UsrChallenge {
                /// The request.
                trid: TrId,
                /// The challenge, opaque.
                challenge: Token<'a>,
            } = [trid "MD5" "S" challenge];
            /// Signed in.
            UsrOk {
                /// The request.
                trid: TrId,
                /// The account in the server's spelling.
                account: Account<'a>,
                /// The account's display name; some servers drop an empty one.
                name: Option<Name<'a>>,
                /// Since MSNP6: `1` if the address is verified, `0` if not.
                verified: Option<Token<'a>>,
            } = [trid "OK" account [name] [verified 6]];
        }
        "XFR" 2 "DN" [] {
            /// The address of a switchboard, and the cookie to get in.
            XfrSwitchboard {
                /// The request.
                trid: TrId,
                /// Where.
                address: Address<'a>,
                /// The cookie.
                cookie: Token<'a>,
            } = [trid "SB" address "CKI" cookie];
            /// Begin again with VER on this connection.
            XfrRestart {
                /// 0.
                trid: TrId,
            } = [trid "NS" "0"];
            /// Go to this notification server.
            XfrNotification {
                /// The request, or 0 for a move while signed in.
                trid: TrId,
                /// Where.
                address: Address<'a>,
                /// `0`, since MSNP3.
                zero: Option<Token<'a>>,
                /// The address of the server that says so, since MSNP7.
                current: Option<Token<'a>>,
            } = [trid "NS" address [zero 3] [current 7]];
        }
        "CVR" 2 "N" [] {
            /// Which client versions the server knows.
            Cvr {
                /// The request.
                trid: TrId,
                /// Recommended version twice, least version, address of a download, of a page.
                versions: Words<'a>,
            } = [trid versions];
        }
        "CVQ" 2 "D" [] {
            /// As CVR.
            Cvq {
                /// The request.
                trid: TrId,
                /// As in CVR.
                versions: Words<'a>,
            } = [trid versions];
        }
        "SYN" 2 "N" [] {
            /// The version of the lists; everything follows if it is not the one that was asked.
            Syn {
                /// The request.
                trid: TrId,
                /// The version.
                version: ListVersion,
            } = [trid version];
        }
        "GTC" 2 "N" [] {
            /// What to do about new people on the reverse list.
            Gtc {
                /// The request.
                trid: TrId,
                /// The version of the lists.
                version: ListVersion,
                /// The setting.
                prompt: Prompt,
            } = [trid version prompt];
        }
        "BLP" 2 "N" [] {
            /// What holds for people on neither the allow nor the block list.
            Blp {
                /// The request.
                trid: TrId,
                /// The version of the lists.
                version: ListVersion,
                /// The setting.
                privacy: Privacy,
            } = [trid version privacy];
        }
        "PRP" 5 "N" [] {
            /// One's own property.
            Prp {
                /// The request.
                trid: TrId,
                /// The version of the lists.
                version: ListVersion,
                /// Which property.
                key: Key,
                /// Its value; none if it is empty.
                value: Option<Name<'a>>,
            } = [trid version key [value]];
            /// One's own property, without the request (Escargot).
            PrpBare {
                /// The version of the lists.
                version: ListVersion,
                /// Which property.
                key: Key,
                /// Its value; none if it is empty.
                value: Option<Name<'a>>,
            } = [version key [value]];
        }
        "BPR" 5 "N" [] {
            /// A contact's property.
            Bpr {
                /// The version of the lists.
                version: ListVersion,
                /// Who.
                account: Account<'a>,
                /// Which property.
                key: Key,
                /// Its value; none if it is empty.
                value: Option<Name<'a>>,
            } = [version (account = Account::read_address) key [value]];
            /// A property of the contact in the last LST line (Escargot).
            BprBare {
                /// The version of the lists.
                version: ListVersion,
                /// Which property.
                key: Key,
                /// Its value; none if it is empty.
                value: Option<Name<'a>>,
            } = [version key [value]];
        }
        "LST" 2 "N" [] {
            /// One entry of a list.
            Lst {
                /// The request.
                trid: TrId,
                /// The list.
                list: List,
                /// The version of the lists.
                version: ListVersion,
                /// Its place, from 1.
                index: Number,
                /// How many there are.
                total: Number,
                /// Who.
                account: Account<'a>,
                /// The name that is kept for them.
                name: Option<Name<'a>>,
                /// Their groups: on the forward list since MSNP7.
                groups: Option<Groups<'a>>,
            } = [trid list version index total account [name] [groups 7]];
            /// An empty list.
            LstEmpty {
                /// The request.
                trid: TrId,
                /// The list.
                list: List,
                /// The version of the lists.
                version: ListVersion,
            } = [trid list version "0" "0"];
        }
        "LSG" 7 "N" [] {
            /// One group.
            Lsg {
                /// The request.
                trid: TrId,
                /// The version of the lists.
                version: ListVersion,
                /// Its place, from 1.
                index: Number,
                /// How many there are.
                total: Number,
                /// The group.
                group: GroupId,
                /// Its name.
                name: Name<'a>,
                /// `0`.
                zero: Option<Token<'a>>,
            } = [trid version index total group name [zero]];
        }
        "ADD" 2 "N" [] {
            /// Somebody is on a list now.
            Add {
                /// The request; 0 if it was not us.
                trid: TrId,
                /// The list.
                list: List,
                /// The version of the lists.
                version: ListVersion,
                /// Who.
                account: Account<'a>,
                /// The name that is kept for them.
                name: Option<Name<'a>>,
                /// The group: on the forward list since MSNP7.
                group: Option<Groups<'a>>,
            } = [trid list version account [name] [group 7]];
        }
        "REM" 2 "N" [] {
            /// Somebody is off a list now, or out of one group.
            Rem {
                /// The request; 0 if it was not us.
                trid: TrId,
                /// The list.
                list: List,
                /// The version of the lists.
                version: ListVersion,
                /// Who.
                account: Account<'a>,
                /// The group, if it was only that.
                group: Option<GroupId>,
            } = [trid list version account [group 7]];
        }
        "ADG" 7 "N" [] {
            /// There is a new group.
            Adg {
                /// The request.
                trid: TrId,
                /// The version of the lists.
                version: ListVersion,
                /// Its name.
                name: Name<'a>,
                /// The group.
                group: GroupId,
                /// `0`; real servers sent garbage here.
                zero: Option<Token<'a>>,
            } = [trid version name group [zero]];
        }
        "RMG" 7 "N" [] {
            /// A group is gone.
            Rmg {
                /// The request.
                trid: TrId,
                /// The version of the lists.
                version: ListVersion,
                /// The group.
                group: GroupId,
            } = [trid version group];
        }
        "REG" 7 "N" [] {
            /// A group has a new name.
            Reg {
                /// The request.
                trid: TrId,
                /// The version of the lists.
                version: ListVersion,
                /// The group.
                group: GroupId,
                /// Its name.
                name: Name<'a>,
                /// `0`.
                zero: Option<Token<'a>>,
            } = [trid version group name [zero]];
        }
        "REA" 2 "N" [] {
            /// Somebody has a new name.
            Rea {
                /// The request.
                trid: TrId,
                /// The version of the lists.
                version: ListVersion,
                /// Who.
                account: Account<'a>,
                /// The name.
                name: Name<'a>,
            } = [trid version account name];
        }
        "CHG" 2 "N" [] {
            /// One's own status is this now.
            Chg {
                /// The request; 0 if it was not us.
                trid: TrId,
                /// The status.
                status: StatusCode<'a>,
            } = [trid status];
        }
        "ILN" 2 "N" [] {
            /// A contact's status as it is while one comes online or adds them.
            Iln {
                /// The CHG or ADD.
                trid: TrId,
                /// The status.
                status: StatusCode<'a>,
                /// Who.
                account: Account<'a>,
                /// Their display name.
                name: Option<Name<'a>>,
            } = [trid status account [name]];
        }
        "NLN" 2 "N" [] {
            /// A contact is online, or has another status or name.
            Nln {
                /// The status.
                status: StatusCode<'a>,
                /// Who.
                account: Account<'a>,
                /// Their display name.
                name: Option<Name<'a>>,
            } = [status account [name]];
        }
        "FLN" 2 "N" [] {
            /// A contact is offline, or wants to look so. Some servers say more before the account.
            Fln {
                /// Who.
                account: Account<'a>,
            } = [(account = Account::find)];
        }
        "MSG" 2 "N" [] payload {
            /// A message from the server: profile, mail, shutdown.
            Msg {
                /// `Hotmail`.
                account: Account<'a>,
                /// `Hotmail`.
                name: Name<'a>,
                /// Headers and body.
                body: Body<'a>,
            } = [account name {body}];
        }
        "CHL" 6 "N" [] {
            /// A challenge for the client program.
            Chl {
                /// 0, or the request of a client that asked for it.
                trid: TrId,
                /// The challenge.
                challenge: Token<'a>,
            } = [trid challenge];
        }
        "QRY" 6 "N" [] {
            /// The answer to a challenge was right.
            Qry {
                /// The request.
                trid: TrId,
            } = [trid];
        }
        "QNG" 2 "N" [] {
            /// A sign of life.
            Qng {} = [];
        }
        "OUT" 2 "DN" [] {
            /// The session ends: `OTH` signed in elsewhere, `SSD` server going down.
            Out {
                /// Why.
                reason: Option<Token<'a>>,
            } = [[reason]];
        }
        "FND" 2 "N" [] {
            /// One hit of a search; `0 0` for none.
            Fnd {
                /// The request.
                trid: TrId,
                /// Its place, from 1.
                index: Number,
                /// How many there are.
                total: Number,
                /// `fname=` and so on.
                terms: Option<Words<'a>>,
            } = [trid index total [terms]];
        }
        "SND" 2 "N" [] {
            /// The mail is on its way.
            Snd {
                /// The request.
                trid: TrId,
            } = [trid "OK"];
        }
        "SDC" 5 "N" [] {
            /// The mail is on its way.
            Sdc {
                /// The request.
                trid: TrId,
            } = [trid "OK"];
        }
        "IPG" 6 "N" [] payload {
            /// A page from a mobile.
            Ipg {
                /// An XML document.
                page: Body<'a>,
            } = [{page}];
        }
        "NOT" 5 "N" [] payload {
            /// An alert.
            Not {
                /// An XML document.
                alert: Body<'a>,
            } = [{alert}];
        }
        "IMS" 3 "N" [] {
            /// Invitations to switchboards are on or off now.
            Ims {
                /// The request.
                trid: TrId,
                /// `0`.
                zero: Number,
                /// Which.
                mode: OnOff,
            } = [trid zero mode];
        }
        "URL" 2 "N" [] {
            /// The address of a service.
            Url {
                /// The request.
                trid: TrId,
                /// Where to go after signing in there.
                redirect: Token<'a>,
                /// Where to sign in.
                login: Token<'a>,
                /// The site's number, since MSNP3.
                site: Option<Token<'a>>,
            } = [trid redirect login [site 3]];
        }
        "RNG" 2 "N" [] {
            /// Somebody calls one into a switchboard.
            Rng {
                /// The session, opaque.
                session: Token<'a>,
                /// Where.
                address: Address<'a>,
                /// The cookie to get in.
                cookie: Token<'a>,
                /// Who calls.
                account: Account<'a>,
                /// Their display name.
                name: Option<Name<'a>>,
            } = [session address "CKI" cookie account [name]];
        }
    }
}
