//! The clients a caller sees.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use cordwood_service::{Options, Service};

#[test]
fn a_new_installation_has_one_client() {
    let dir = tempfile::tempdir().unwrap();
    let service = Service::open(Options::new(dir.path())).unwrap();
    let token = std::fs::read_to_string(dir.path().join("cli-token")).unwrap();
    let caller = service.authenticate(token.trim()).unwrap();
    let clients = service.list_clients(&caller).unwrap();
    let names: Vec<&str> = clients.iter().map(|client| &*client.name).collect();
    assert_eq!(names, ["default"]);
}
