//! Signs in, says one text and prints what happens, over blocking sockets and nothing but std:
//! `cargo run --example blocking -- HOST:PORT ACCOUNT PASSWORD RECIPIENT TEXT`
use std::io::{ErrorKind, Read, Write};
use std::{collections::HashMap, error::Error, net::TcpStream, time};

use msnp_proto::client::{Client, Config, Event, SignIn};
use msnp_proto::machine::{Closed, Host, Output};
use msnp_proto::time::Instant;
use msnp_proto::types::{Address, Delivery, Handle};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [server, account, password, to, text] = &args[..] else { return Err("5 words".into()) };
    let server = Address::parse(server).ok_or("server: HOST:PORT")?.to_target();
    let account = Handle::new(account).ok_or("account: name@domain")?;
    let to = Handle::new(to).ok_or("recipient: name@domain")?;
    let start = time::Instant::now();
    let now = || Instant::from_micros(start.elapsed().as_micros() as u64);
    let mut client = Client::new(Config::new());
    client.sign_in(now(), SignIn::new(account, password.as_str().into(), server))?;
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
                    if matches!(output, Output::Close { .. }) {
                        sockets.remove(&conn);
                        client.handle_closed(now(), conn, Closed::Done);
                    }
                }
                Output::Event(event) => {
                    println!("{event:?}");
                    match event {
                        Event::Online { .. } => {
                            let chat = client.open_chat(now(), &to)?;
                            client.send_text(now(), chat, text, Delivery::Always)?;
                        }
                        Event::Delivery { .. } => client.sign_out(now()),
                        Event::Lost { .. } => return Ok(()),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        for (conn, socket) in &mut sockets {
            match socket.read(&mut buffer) {
                Ok(0) => client.handle_eof(now(), *conn),
                Ok(read) => client.handle_input(now(), *conn, &buffer[..read]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => client.handle_closed(now(), *conn, Closed::Reset),
            }
        }
        client.handle_timeout(now());
    }
}
