//! Signs in, says one text and prints what happens, over blocking sockets and nothing but std:
//! `MSNP_PASSWORD=... cargo run --example blocking -- HOST:PORT ACCOUNT RECIPIENT TEXT`
use std::io::{ErrorKind, Read, Write};
use std::{collections::HashMap, error::Error, net::TcpStream, time};

use msnp_proto::client::{Client, Config, Event, SignIn};
use msnp_proto::machine::{Closed, Host, Output};
use msnp_proto::time::Instant;
use msnp_proto::types::{Delivery, Handle};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [server, account, to, text] = &args[..] else { Err("4 words")? };
    let (server, to) = (server.parse()?, to.parse::<Handle>()?);
    let sign_in = SignIn::new(account.parse()?, std::env::var("MSNP_PASSWORD")?.into(), server);
    let start = time::Instant::now();
    let now = || Instant::from(start.elapsed());
    let mut client = Client::new(Config::new());
    client.sign_in(now(), sign_in)?;
    let mut sockets = HashMap::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        while let Some(output) = client.poll_output() {
            match output {
                Output::Connect { conn, to } => match TcpStream::connect((&*to.host, to.port)) {
                    Ok(socket) => {
                        socket.set_read_timeout(Some(time::Duration::from_millis(5)))?;
                        sockets.insert(conn, socket);
                        client.handle_connected(now(), conn);
                    }
                    Err(_) => client.handle_closed(now(), conn, Closed::Refused),
                },
                Output::Transmit { conn } | Output::Close { conn, .. } => {
                    let Some(mut socket) = sockets.get(&conn) else { continue };
                    socket.write_all(client.pending(conn)).unwrap_or_default();
                    client.consume(now(), conn, usize::MAX);
                    if matches!(output, Output::Close { .. }) && sockets.remove(&conn).is_some() {
                        client.handle_closed(now(), conn, Closed::Done);
                    }
                }
                Output::Event(Event::Online { .. }) => {
                    let chat = client.open_chat(now(), &to)?;
                    client.send_text(now(), chat, text, Delivery::Always)?;
                }
                Output::Event(Event::Delivery { .. }) => client.sign_out(now()),
                Output::Event(Event::Lost { .. }) => return Ok(()),
                Output::Event(event) => println!("{event:?}"),
                _ => {}
            }
        }
        for (conn, socket) in &mut sockets {
            match socket.read(&mut buffer) {
                Ok(read @ 1..) => client.handle_input(now(), *conn, &buffer[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Ok(_) | Err(_) => client.handle_eof(now(), *conn),
            }
        }
        client.handle_timeout(now());
    }
}
