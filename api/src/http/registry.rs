//! Where the rooms register their operations: once with the router of each worker, and once with the API document.
//!
//! Both from one list, so that what is served and what is described cannot part. But never both at once: the description of two hundred operations
//! takes more memory than serving them, and only one part of the program has a use for it.

use actix_web::dev::HttpServiceFactory;
use actix_web::web;
use utoipa::openapi::path::Paths;
use utoipa::openapi::{Components, OpenApi, OpenApiBuilder, RefOr, Schema};
use utoipa_actix_web::OpenApiFactory;

/// Takes the operations of the rooms.
pub struct Registry<'a>(Taker<'a>);

enum Taker<'a> {
    Router(&'a mut web::ServiceConfig),
    Document { prefix: String, document: &'a mut OpenApi },
}

/// The description of all operations that `rooms` registers, as they say it themselves.
#[must_use]
pub fn described(rooms: fn(&mut Registry<'_>)) -> OpenApi {
    let mut document = OpenApiBuilder::new().build();
    rooms(&mut Registry(Taker::Document { prefix: String::new(), document: &mut document }));
    document
}

impl<'a> Registry<'a> {
    /// One that registers with a router.
    pub fn router(config: &'a mut web::ServiceConfig) -> Self {
        Self(Taker::Router(config))
    }

    /// Registers one operation.
    pub fn service<F: HttpServiceFactory + OpenApiFactory + 'static>(&mut self, operation: F) -> &mut Self {
        match &mut self.0 {
            Taker::Router(config) => {
                config.service(operation);
            }
            Taker::Document { prefix, document } => {
                let mut schemas = Vec::new();
                operation.schemas(&mut schemas);
                describe(document, prefix, operation.paths(), schemas);
            }
        }
        self
    }

    /// Registers the operations of a room.
    pub fn configure(&mut self, room: fn(&mut Registry<'_>)) -> &mut Self {
        room(self);
        self
    }

    /// Registers rooms whose paths begin with `path`.
    pub fn scope(&mut self, path: &str, rooms: fn(&mut Registry<'_>)) -> &mut Self {
        match &mut self.0 {
            Taker::Router(config) => {
                config.service(web::scope(path).configure(|config| rooms(&mut Registry::router(config))));
            }
            Taker::Document { prefix, document } => {
                let prefix = format!("{prefix}{path}");
                rooms(&mut Registry(Taker::Document { prefix, document }));
            }
        }
        self
    }
}

/// Adds an operation to the document. An operation brings along every schema that it leads to, most of which are there already.
fn describe(document: &mut OpenApi, prefix: &str, paths: Paths, schemas: Vec<(String, RefOr<Schema>)>) {
    let mut prefixed = Paths::new();
    for (path, item) in paths.paths {
        prefixed.paths.insert(format!("{prefix}{path}"), item);
    }
    document.paths.merge(prefixed);
    document.components.get_or_insert_with(Components::new).schemas.extend(schemas);
}
