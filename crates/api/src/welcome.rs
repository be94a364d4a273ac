//! `GET /`: what to do with this address, for someone who opened it in a browser.

use crate::links::Links;

/// What to do with this address, as text
#[utoipa::path(
    get, path = "/", tag = "server",
    responses((status = 200, content_type = "text/plain", body = String)),
)]
pub(crate) async fn get(links: Links) -> String {
    let base = links.base();
    format!(
        "This is Cordwood. It takes log events here, and finds them again.\n\
         \n\
         Send an event, with the token of a source:\n\
         \n\
         \x20   curl -X POST {base}/ \\\n\
         \x20     -H 'Authorization: Bearer SOURCE_TOKEN' -H 'Content-Type: application/json' \\\n\
         \x20     -d '{{\"message\": \"Hello, Cordwood\"}}'\n\
         \n\
         Find it, on the same machine:\n\
         \n\
         \x20   cordwood query hello\n\
         \n\
         or from anywhere, with an API token:\n\
         \n\
         \x20   curl -H 'Authorization: Bearer API_TOKEN' '{base}/api/v1/query?query=hello'\n\
         \n\
         `cordwood source create NAME` makes a source, `cordwood token create NAME` an API token.\n"
    )
}
