//! [SEC-2] Sealed values open for whom they were sealed, and for nobody else.

use rand::{CryptoRng, SeedableRng, rngs::StdRng};
use secrecy::ExposeSecret;
use troupe_model::TenantId;
use troupe_store::{
    Error,
    secrets::{Sealed, SecretBox, TenantBox},
};

pub fn random(seed: u64) -> impl CryptoRng {
    StdRng::seed_from_u64(seed)
}

fn master(byte: u8) -> SecretBox {
    SecretBox::new(&secrecy::SecretBox::new(Box::new([byte; 32])))
}

fn boxed(tenant: TenantId) -> TenantBox {
    let master = master(1);
    let key = master.new_data_key(tenant, &mut random(1)).unwrap();
    master.tenant(tenant, &key).unwrap()
}

fn refused<T>(outcome: Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Sealed))
}

/// [SEC-2]
#[test]
fn a_sealed_value_opens_for_its_tenant_and_purpose_only() {
    let (acme, other) = (TenantId::generate(), TenantId::generate());
    let acme_box = boxed(acme);
    let sealed = acme_box.seal("connector:1", b"hunter2", &mut random(2)).unwrap();
    assert_eq!(acme_box.open("connector:1", &sealed).unwrap().expose_secret(), b"hunter2");
    assert!(refused(acme_box.open("connector:2", &sealed)));
    assert!(refused(boxed(other).open("connector:1", &sealed)));
    assert_eq!(acme_box.open("", &acme_box.seal("", b"", &mut random(3)).unwrap()).unwrap().expose_secret(), b"");
}

/// [SEC-2] A data key is useless below another tenant or under another master key.
#[test]
fn a_data_key_opens_for_its_tenant_and_master_key_only() {
    let (acme, other) = (TenantId::generate(), TenantId::generate());
    let key = master(1).new_data_key(acme, &mut random(1)).unwrap();
    assert!(master(1).tenant(acme, &key).is_ok());
    assert!(refused(master(1).tenant(other, &key)));
    assert!(refused(master(2).tenant(acme, &key)));
}

/// [SEC-2] Every single byte is authenticated: version, key id, nonce, ciphertext, tag.
#[test]
fn a_changed_byte_is_refused_wherever_it_is() {
    let tenant_box = boxed(TenantId::generate());
    let sealed = tenant_box.seal("p", b"secret", &mut random(2)).unwrap();
    for place in 0..sealed.as_bytes().len() {
        let mut bytes = sealed.as_bytes().to_vec();
        bytes[place] ^= 1;
        assert!(refused(tenant_box.open("p", &Sealed::from_bytes(bytes))), "byte {place}");
    }
    for length in 0..sealed.as_bytes().len() {
        let cut = Sealed::from_bytes(sealed.as_bytes()[..length].to_vec());
        assert!(refused(tenant_box.open("p", &cut)), "{length} bytes");
    }
}

/// [SEC-2] The same value sealed twice looks different, and neither shows it, nor does `Debug`.
#[test]
fn a_sealed_value_tells_nothing() {
    let tenant = TenantId::generate();
    let tenant_box = boxed(tenant);
    let mut random = random(2);
    let [one, two] = [(); 2].map(|()| tenant_box.seal("p", b"hunter2hunter2", &mut random).unwrap());
    assert_ne!(one.as_bytes(), two.as_bytes());
    assert!(!one.as_bytes().windows(7).any(|window| window == b"hunter2"));
    assert_eq!(format!("{one:?} {tenant_box:?} {:?}", master(1)), "Sealed { .. } TenantBox { .. } SecretBox { .. }");
}
