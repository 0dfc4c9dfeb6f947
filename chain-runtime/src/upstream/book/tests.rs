use super::*;

#[test]
fn what_has_left_is_forgotten() {
    let (now, mut book) = (Instant::now(), Book::new(Generation::new(1), 1));
    let mut stays = None;
    for turn in 0..10_000 {
        let registration = book.register(&mut Some(Member::new("a", ())), Duration::MAX, now).unwrap();
        let request = book.seat(&registration).unwrap().begin().unwrap();
        book.remove(&registration).unwrap();
        book.dropped.clear();
        if turn == 0 {
            stays = Some((registration, request));
        }
        assert!(book.leaving.len() <= LEAVING);
    }
    let (registration, request) = stays.unwrap();
    assert_eq!(book.seat(&registration).unwrap().in_flight(), 1);
    drop(request);
    assert!(book.seat(&registration).is_none());
}

#[test]
fn a_heartbeat_that_was_on_its_way_for_long_does_not_shorten_a_lease() {
    let (begun, second) = (Instant::now(), Duration::from_secs(1));
    let mut book = Book::new(Generation::new(1), 1);
    let registration = book.register(&mut Some(Member::new("a", ())), 10 * second, begun).unwrap();
    book.heartbeat(&registration, begun + 5 * second).unwrap();
    book.heartbeat(&registration, begun + 3 * second).unwrap();
    assert_eq!(book.expire(begun + 14 * second), 0);
    assert_eq!(book.expire(begun + 15 * second), 1);
}

/// Two threads may note one failure too many at once, and a check may find the member ill meanwhile.
#[test]
fn only_who_is_ready_is_ejected() {
    let (now, mut book) = (Instant::now(), Book::new(Generation::new(1), 4));
    book.cares(Care { settings: Arc::new(Health::new().at_most(1.0)), owner: Weak::new() });
    let [registration, ..] =
        ["a", "b", "c"].map(|name| book.register(&mut Some(Member::new(name, ())), Duration::MAX, now).unwrap());
    let state = |book: &Book<()>| book.snapshot().get("a").unwrap().state();
    book.eject(&registration, Cause::InARow, now, 0.0).unwrap();
    let ejected = state(&book);
    assert!(matches!(ejected, State::Ejected { .. }));
    book.eject(&registration, Cause::InARow, now + Duration::from_secs(1), 0.0).unwrap();
    assert_eq!(state(&book), ejected);
    book.change_state(&registration, now, |_, _| State::Unhealthy).unwrap();
    book.eject(&registration, Cause::InARow, now, 0.0).unwrap();
    assert_eq!(state(&book), State::Unhealthy);
    // It does not return at the end of an ejection that no longer applies.
    book.expire(now + Duration::from_secs(3600));
    assert_eq!(state(&book), State::Unhealthy);
}
