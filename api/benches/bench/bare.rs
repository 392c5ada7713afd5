//! The server without the program: the same framework on as many threads, answering bytes that lie ready.

use std::io::Write as _;
use std::path::Path;

use actix_web::{App, HttpResponse, HttpServer, web};

use super::Outcome;

/// Serves the content of a file to every request until it is stopped.
pub fn serve(answer: &Path) -> Outcome<()> {
    let answer = web::Bytes::from(std::fs::read(answer)?);
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let answer = answer.clone();
            // The body of the request is read, as every server has to.
            App::new().default_service(web::to(move |_: web::Bytes| {
                let answer = answer.clone();
                async move { HttpResponse::Ok().content_type("application/json").body(answer) }
            }))
        })
        .bind("127.0.0.1:0")?;
        for addr in server.addrs() {
            writeln!(std::io::stderr(), "listening on {addr}")?;
        }
        Ok(server.run().await?)
    })
}
