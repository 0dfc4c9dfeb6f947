//! A DNS server on loopback that says what a test tells it to say. It has threads of its own, so it also answers while
//! the test's time stands still.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, SOA, SRV};
use hickory_proto::rr::{Name, RData, Record, RecordType};

/// A running server. Its threads end with the process.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    zone: HashMap<(Name, RecordType), Reply>,
    mood: Mood,
    asked: Vec<(String, RecordType)>,
    over_tcp: usize,
}

/// How a server is that does not do its work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It does.
    #[default]
    Well,
    /// Nothing comes back.
    Silent,
    Code(ResponseCode),
    /// What comes back is no message.
    Garbage,
    /// The messages are those of other questions.
    WrongId,
    /// The reply is for another question.
    WrongQuestion,
    /// Cut off in the middle of a record.
    Cut,
}

#[derive(Clone, Default)]
pub(crate) struct Reply {
    answers: Vec<Record>,
    /// Seconds for which there is nothing, if there is nothing.
    negative: Option<u32>,
    code: Option<ResponseCode>,
}

pub(crate) fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).unwrap();
    name.set_fqdn(true);
    name
}

impl Server {
    pub(crate) fn start() -> Self {
        // The port of the one has to be free for the other, too.
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let own = Arc::clone(&state);
        std::thread::spawn(move || over_udp(&udp, &own));
        let own = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in tcp.incoming() {
                let own = Arc::clone(&own);
                std::thread::spawn(move || over_tcp(stream.unwrap(), &own));
            }
        });
        Self { address, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn mood(&self, mood: Mood) {
        self.state().mood = mood;
        crate::support::gives_answers(matches!(mood, Mood::Well | Mood::Code(_)));
    }

    /// The questions so far: without those that were sent again since nothing came back, as these are the same for a while.
    pub(crate) fn asked(&self) -> usize {
        self.state().asked.len()
    }

    pub(crate) fn asked_for(&self, host: &str) -> usize {
        let host = name(host).to_string();
        self.state().asked.iter().filter(|(name, _)| *name == host).count()
    }

    pub(crate) fn over_tcp(&self) -> usize {
        self.state().over_tcp
    }

    fn set(&self, host: &str, kind: RecordType, reply: Reply) {
        self.state().zone.insert((name(host).to_lowercase(), kind), reply);
    }

    /// Says that the host has these addresses, and no others.
    pub(crate) fn host(&self, host: &str, ttl: u32, addresses: &[&str]) {
        let addresses: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.addresses(host, ttl, &addresses);
    }

    pub(crate) fn addresses(&self, host: &str, ttl: u32, addresses: &[IpAddr]) {
        let of = |kind: RecordType| {
            let data = addresses.iter().map(|address| match address {
                IpAddr::V4(address) => RData::A(A(*address)),
                IpAddr::V6(address) => RData::AAAA(AAAA(*address)),
            });
            let answers = data.filter(|data| data.record_type() == kind);
            Reply {
                answers: answers.map(|data| Record::from_rdata(name(host), ttl, data)).collect(),
                ..Reply::default()
            }
        };
        self.set(host, RecordType::A, of(RecordType::A));
        self.set(host, RecordType::AAAA, of(RecordType::AAAA));
    }

    /// Says that there is no such host, for so many seconds.
    pub(crate) fn no_host(&self, host: &str, ttl: u32) {
        let reply = Reply { negative: Some(ttl), code: Some(ResponseCode::NXDomain), ..Reply::default() };
        for kind in [RecordType::A, RecordType::AAAA, RecordType::SRV] {
            self.set(host, kind, reply.clone());
        }
    }

    /// Says this in reply to a question for one kind of records.
    pub(crate) fn code(&self, host: &str, kind: RecordType, code: ResponseCode) {
        self.set(host, kind, Reply { code: Some(code), ..Reply::default() });
    }

    /// Says these records, of these names, in reply to questions for the addresses of `host`.
    pub(crate) fn records(&self, host: &str, ttl: u32, records: &[(&str, RData)]) {
        for kind in [RecordType::A, RecordType::AAAA, RecordType::SRV] {
            let data = records
                .iter()
                .filter(|(_, data)| data.record_type() == kind || data.record_type() == RecordType::CNAME);
            let answers = data.map(|(owner, data)| Record::from_rdata(name(owner), ttl, data.clone())).collect();
            self.set(host, kind, Reply { answers, ..Reply::default() });
        }
    }

    /// Says that a service has these records: priority, weight, port, target.
    pub(crate) fn service(&self, service: &str, ttl: u32, records: &[(u16, u16, u16, &str)]) {
        let data = records
            .iter()
            .map(|&(priority, weight, port, target)| RData::SRV(SRV::new(priority, weight, port, name(target))));
        let answers = data.map(|data| Record::from_rdata(name(service), ttl, data)).collect();
        self.set(service, RecordType::SRV, Reply { answers, ..Reply::default() });
    }
}

pub(crate) fn alias(target: &str) -> RData {
    RData::CNAME(CNAME(name(target)))
}

pub(crate) fn v4(address: &str) -> RData {
    RData::A(A(address.parse().unwrap()))
}

fn over_udp(socket: &UdpSocket, state: &Mutex<State>) {
    let mut buffer = [0; 4096];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
        let room = usize::from(question.max_payload());
        let Some(mut reply) = reply(&question, state, false) else { continue };
        if reply.len() > room {
            // It does not fit: cut after the question, with the bit that says so.
            let mut cut = Message::from_vec(&reply).unwrap().truncate();
            cut.metadata.truncation = true;
            reply = cut.to_vec().unwrap();
        }
        let _ = socket.send_to(&reply, from);
    }
}

fn over_tcp(mut stream: TcpStream, state: &Mutex<State>) {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    loop {
        let mut length = [0; 2];
        if stream.read_exact(&mut length).is_err() {
            return;
        }
        let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
        if stream.read_exact(&mut question).is_err() {
            return;
        }
        let Some(reply) = reply(&Message::from_vec(&question).unwrap(), state, true) else { continue };
        let length = u16::try_from(reply.len()).unwrap().to_be_bytes();
        if stream.write_all(&[&length[..], &reply].concat()).is_err() {
            return;
        }
    }
}

fn reply(question: &Message, state: &Mutex<State>, over_tcp: bool) -> Option<Vec<u8>> {
    let mut state = state.lock().unwrap();
    let query = question.queries[0].clone();
    let key = (query.name().to_lowercase(), query.query_type());
    state.asked.push((key.0.to_string(), key.1));
    state.over_tcp += usize::from(over_tcp);
    let mut message = Message::response(question.id, question.op_code);
    message.metadata.recursion_desired = true;
    message.metadata.recursion_available = true;
    message.add_query(query);
    if let Some(edns) = &question.edns {
        message.set_edns(edns.clone());
    }
    let known = state.zone.get(&key).cloned();
    let known = known.unwrap_or(Reply { code: Some(ResponseCode::NXDomain), ..Reply::default() });
    message.metadata.response_code = known.code.unwrap_or(ResponseCode::NoError);
    message.add_answers(known.answers);
    if let Some(ttl) = known.negative {
        let soa = SOA::new(name("ns.test"), name("admin.test"), 1, 60, 60, 60, ttl);
        message.add_authority(Record::from_rdata(name("test"), ttl, RData::SOA(soa)));
    }
    match state.mood {
        Mood::Well => message.to_vec().ok(),
        Mood::Silent => None,
        Mood::Code(code) => {
            message.answers.clear();
            message.metadata.response_code = code;
            message.to_vec().ok()
        }
        Mood::Garbage => Some(vec![0xa5; 60]),
        Mood::WrongId => {
            message.metadata.id ^= 1;
            message.to_vec().ok()
        }
        Mood::WrongQuestion => {
            message.queries[0].set_name(name("other.test"));
            message.to_vec().ok()
        }
        Mood::Cut => {
            let bytes = message.to_vec().ok()?;
            Some(bytes[..bytes.len() - 5].to_vec())
        }
    }
}
