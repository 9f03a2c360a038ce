use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    thread,
    time::Instant,
};

use super::*;
use crate::{
    certs::Authority,
    hostile::{Answer, HostileServer, Response},
    testing::{Http, client, run},
};

/// A ministry that says back what it hears, until it is told no more.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            thread::spawn(move || {
                let mut back = client.try_clone().unwrap();
                let _ = io::copy(&mut client, &mut back);
                let _ = back.shutdown(Shutdown::Write);
            });
        }
    });
    addr
}

fn proxy() -> FaultProxy {
    FaultProxy::start(echo()).unwrap()
}

fn connect(proxy: &FaultProxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.addr()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    stream
}

fn says_back(stream: &mut TcpStream, text: &[u8]) {
    stream.write_all(text).unwrap();
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(back, text);
}

fn read_error(stream: &mut TcpStream) -> ErrorKind {
    stream.read(&mut [0; 1]).unwrap_err().kind()
}

#[test]
fn an_up_link_forwards_and_counts_both_ways() {
    let proxy = proxy();
    let mut stream = connect(&proxy);
    says_back(&mut stream, b"hello");
    stream.write_all(b" and bye").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, " and bye");
    let expected = Counters {
        connections: 1,
        bytes_up: 13,
        bytes_down: 13,
        refused: 0,
        struck: 0,
    };
    assert_eq!(proxy.counters(), expected);
}

#[test]
fn more_than_the_buffers_hold_goes_both_ways_at_once() {
    let proxy = proxy();
    let mut stream = connect(&proxy);
    let mut back = stream.try_clone().unwrap();
    let size = 20_000_000;
    let reader = thread::spawn(move || io::copy(&mut back, &mut io::sink()).unwrap());
    stream.write_all(&vec![7; size]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(reader.join().unwrap(), u64::try_from(size).unwrap());
}

#[test]
fn a_link_that_is_down_refuses_resets_and_comes_back_on_its_port() {
    let proxy = proxy();
    for _ in 0..20 {
        let mut open = connect(&proxy);
        says_back(&mut open, b"before");

        proxy.set(Link::Down);
        assert_eq!(read_error(&mut open), ErrorKind::ConnectionReset);
        let refused = TcpStream::connect(proxy.addr()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);

        proxy.set(Link::Up);
        says_back(&mut connect(&proxy), b"after");
    }
    assert_eq!(proxy.counters().connections, 40);
}

#[test]
fn a_ministry_that_is_not_there_is_a_reset() {
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let proxy = FaultProxy::start(gone).unwrap();
    assert_eq!(read_error(&mut connect(&proxy)), ErrorKind::ConnectionReset);
    assert_eq!(proxy.counters().refused, 1);
}

#[test]
fn a_black_hole_takes_everything_and_is_silent() {
    let proxy = proxy();
    let mut open = connect(&proxy);
    says_back(&mut open, b"before");
    proxy.set(Link::BlackHole);
    for stream in [&mut open, &mut connect(&proxy)] {
        stream.write_all(b"anybody?").unwrap();
        assert_eq!(read_error(stream), ErrorKind::WouldBlock);
    }
    let counters = proxy.counters();
    assert_eq!((counters.bytes_up, counters.bytes_down), (22, 6));

    // What was lost does not come back: the connection ends.
    proxy.set(Link::Up);
    assert_eq!(read_error(&mut open), ErrorKind::ConnectionReset);
}

#[test]
fn a_cut_is_a_reset_after_so_many_bytes_down() {
    let proxy = proxy();
    let mut stream = connect(&proxy);
    says_back(&mut stream, b"0123");
    proxy.set(Link::CutAfter { down_bytes: 10 });
    stream.write_all(b"456789abcdef").unwrap();
    let mut back = [0; 6];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"456789");
    assert_eq!(read_error(&mut stream), ErrorKind::ConnectionReset);
    assert_eq!(proxy.counters().bytes_down, 10);
}

#[test]
fn an_answer_is_swallowed_and_the_connection_closed() {
    let proxy = proxy();
    proxy.set(Link::SwallowAnswers {
        after_upstream_bytes: 10,
    });
    let mut stream = connect(&proxy);
    says_back(&mut stream, b"0123456789");
    let start = Instant::now();
    stream.write_all(b"a").unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    let after = start.elapsed();
    assert!(after >= Duration::from_millis(300), "{after:?}");
    assert_eq!(proxy.counters().bytes_down, 10);
}

#[test]
fn a_slow_ministry_keeps_its_connection_when_the_client_lost_its_own() {
    let ministry = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = FaultProxy::start(ministry.local_addr().unwrap()).unwrap();
    proxy.set(Link::SwallowAnswers {
        after_upstream_bytes: 0,
    });
    let mut phone = connect(&proxy);
    phone.write_all(b"sos").unwrap();
    let (mut call, _) = ministry.accept().unwrap();
    call.read_exact(&mut [0; 3]).unwrap();
    call.write_all(b"wait").unwrap();
    assert_eq!(phone.read(&mut [0; 1]).unwrap(), 0);

    call.set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    assert_eq!(read_error(&mut call), ErrorKind::WouldBlock);
    proxy.set(Link::Down);
    assert_eq!(read_error(&mut call), ErrorKind::ConnectionReset);
}

/// A ministry that takes its time, and a client that trusts it.
fn ministry(takes: Duration) -> (HostileServer, Authority) {
    let ca = Authority::new().unwrap();
    let answer = Answer::by(move |_| {
        thread::sleep(takes);
        Response {
            status: 200,
            headers: vec![],
            body: b"received".to_vec(),
        }
    });
    let server = HostileServer::start(ca.server().unwrap(), answer).unwrap();
    (server, ca)
}

#[test]
fn the_opening_of_a_connection_stays_below_the_documented_limit() {
    let (server, ca) = ministry(Duration::ZERO);
    for http in [Http::One, Http::Both] {
        let proxy = FaultProxy::start(server.addr()).unwrap();
        let url = format!("https://localhost:{}/", proxy.addr().port());
        run(client(&ca, http).get(url).send()).unwrap();
        let up = proxy.counters().bytes_up;
        assert!(up < PAST_THE_HANDSHAKE, "{http:?}: {up}");
    }
}

#[test]
fn the_ministry_hears_a_request_whose_answer_is_swallowed() {
    let (server, ca) = ministry(Duration::from_millis(100));
    let proxy = FaultProxy::start(server.addr()).unwrap();
    proxy.set(Link::SwallowAnswers {
        after_upstream_bytes: PAST_THE_HANDSHAKE,
    });
    for http in [Http::One, Http::Both] {
        let before = server.requests();
        // As small as an envelope gets, and as large as a photograph.
        for size in [PAST_THE_HANDSHAKE, 60_000] {
            run(async {
                let url = format!("https://{}/sos", proxy.addr());
                let request = client(&ca, http).post(url).body(vec![b'x'; size]);
                request.send().await.unwrap_err();
            });
        }
        assert_eq!(server.requests() - before, 2, "{http:?}");
    }
}

#[test]
fn a_portal_answers_every_request_itself() {
    let (server, ca) = ministry(Duration::ZERO);
    let proxy = FaultProxy::start(server.addr()).unwrap();
    proxy.set(Link::Portal(ca.server().unwrap()));
    let table = [
        (Http::One, reqwest::Version::HTTP_11),
        (Http::Both, reqwest::Version::HTTP_2),
    ];
    for (http, version) in table {
        run(async {
            let client = client(&ca, http);
            let url = format!("https://{}/v1/envelopes", proxy.addr());
            for request in [client.get(&url), client.post(&url).body("sos")] {
                let answer = request.send().await.unwrap();
                assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
                assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
                assert!(answer.text().await.unwrap().contains("Log in"));
            }
        });
    }
    assert_eq!(server.connections(), 0);
    assert!(proxy.counters().bytes_down > 1_000);
}

#[test]
fn a_portal_ends_the_connections_to_the_ministry() {
    let (_server, ca) = ministry(Duration::ZERO);
    let proxy = proxy();
    let mut open = connect(&proxy);
    says_back(&mut open, b"before");
    proxy.set(Link::Portal(ca.server().unwrap()));
    assert_eq!(read_error(&mut open), ErrorKind::ConnectionReset);
}

#[test]
fn a_dropped_proxy_is_gone() {
    let proxy = proxy();
    let addr = proxy.addr();
    let mut open = connect(&proxy);
    says_back(&mut open, b"before");
    drop(proxy);
    assert_eq!(read_error(&mut open), ErrorKind::ConnectionReset);
    let refused = TcpStream::connect(addr).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}
