use super::*;

/// Two notes by client 12, the second inside the first, which is a number: `yrs` integrates the first and fails.
const HALF: [u8; 27] =
    [1, 2, 12, 0, 0x28, 1, 5, b'n', b'o', b't', b'e', b's', 1, b'k', 1, 125, 7, 0x28, 0, 12, 0, 1, b'k', 1, 125, 7, 0];

/// [SYNC-4] Should `yrs` fail half-way in spite of the guard, the half reaches everyone by the repair, and what comes
/// after it integrates.
#[test]
fn what_a_failure_leaves_behind_reaches_everyone() {
    for panicked in [false, true] {
        let (mut canvas, mut other) = (Canvas::new(), Canvas::new());
        assert!(canvas.apply(&HALF).is_err());
        assert_eq!(canvas.repair(), None, "the guard refuses it before yrs sees it");

        let Err(Failure::Refused(reason)) = canvas.integrate(decode(&HALF).unwrap(), u64::MAX) else {
            panic!("yrs takes it now")
        };
        let failure = if panicked { Failure::Panicked(reason) } else { Failure::Refused(reason) };
        assert_eq!(canvas.recover(failure).code, Refusal::MALFORMED);
        let repair = canvas.repair().unwrap();
        assert_eq!(canvas.repair(), None);
        assert_eq!(other.apply(&repair).unwrap(), Applied::Integrated);
        assert_eq!(other.state_vector(), canvas.state_vector());
        assert_eq!(other.project(), canvas.project());
        assert_eq!(canvas.project().notes["k"], 7);

        let mut target = canvas.project();
        target.notes.insert("after".to_owned(), true.into());
        let edit = canvas.edit(&target).unwrap();
        assert_eq!(other.apply(&edit).unwrap(), Applied::Integrated);
        canvas.snapshot().unwrap();
    }
}
