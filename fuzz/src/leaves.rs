//! The validated leaves: what is taken is kept, and means the same when it is said again.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use msnp_proto::machine::Target;
use msnp_proto::types::{Account, Address, Dialect, ErrorCode, Handle, Name, Nick, Token, Words};
use msnp_proto::wire::percent;

/// Any bytes as everything that a word or a text can be.
pub fn leaves(data: &[u8]) {
    let decoded = percent::decode(data);
    assert!(decoded.len() <= 3 * data.len(), "no more than U+FFFD for each byte");
    let words = Words::new(data);
    assert_eq!(words.is_some(), !data.iter().any(|b| b"\r\n".contains(b)) && has_word(data));
    let separates = |byte: &u8| b" \t\r\n".contains(byte);
    let is_word = !data.is_empty() && !data.iter().any(separates);
    assert_eq!(Token::new(data).is_some(), is_word);
    assert_eq!(Account::new(data).is_some(), is_word);
    assert!(
        Dialect::from_word(data)
            .is_none_or(|one| { one.as_str().as_bytes().eq_ignore_ascii_case(data) })
    );
    if let Some(words) = words {
        let all = words.iter().map(|word| Token::new(word).expect("a word").as_bytes().len());
        assert!(all.sum::<usize>() <= data.len());
    }
    if let [high, low, ..] = *data {
        let number = u16::from_be_bytes([high, low]);
        let code = ErrorCode::new(number);
        assert_eq!(code.is_some(), (100..=999).contains(&number));
        assert!(code.is_none_or(|code| code.verb().to_string() == number.to_string()));
    }
    text(&decoded);
    if let Ok(same) = core::str::from_utf8(data) {
        text(same);
    }
}

fn has_word(data: &[u8]) -> bool {
    data.iter().any(|byte| !b" \t".contains(byte))
}

fn text(text: &str) {
    let mut wire = Vec::new();
    percent::encode(text, &mut wire);
    assert_eq!(wire.len(), percent::encoded_len(text));
    assert!(wire.iter().all(|byte| (0x21..0x7F).contains(byte)), "{}", wire.escape_ascii());
    assert_eq!(percent::decode(&wire), text);
    if let Some(nick) = Nick::new(text) {
        let len = Name::from(&nick).encoded_len();
        assert!(nick.as_str() == text && len <= msnp_proto::limits::NICK);
    }
    handle(text);
    address(text);
}

fn handle(text: &str) {
    let Some(handle) = Handle::new(text) else { return };
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(handle.as_str() == text && text.len() <= msnp_proto::limits::HANDLE);
    let other = Handle::new(&text.to_ascii_uppercase()).expect("capitals make no difference");
    assert!(other == handle && other.cmp(&handle).is_eq());
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    assert_eq!(hasher.hash_one(&handle), hasher.hash_one(&other));
    assert!(Account::from(&other).is(&handle));
    assert_eq!(Account::new(text.as_bytes()).and_then(Account::to_handle), Some(handle));
}

fn address(text: &str) {
    let target = Target { host: text.into(), port: 7 };
    if let Some(address) = Address::from_target(&target) {
        assert_eq!(Address::parse(&target.to_string()), Some(address));
        assert_eq!(address.to_target(), target);
    }
    let Some(address) = Address::parse(text) else { return };
    let target = address.to_target();
    assert!(target.port != 0 && !target.host.is_empty());
    let again = Address::from_target(&target).expect("it was an address");
    assert_eq!((again.host(), again.to_target()), (address.host(), target.clone()));
    assert_eq!(target.to_string().parse(), Ok(target));
}
