//! The form and the answer of the token endpoint (RFC 6749).

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A request for a token. Which members are needed depends on `grant_type`.
#[derive(ToSchema)]
#[schema(example = json!({"grant_type": "password", "username": "kaisa", "password": "hyvinvointilahete-demo"}))]
#[expect(dead_code, reason = "describes the form in the API document; it is read pair by pair")]
pub struct TokenRequest {
    /// `client_credentials` for machines; `password` for demo accounts, in demo mode alone.
    grant_type: GrantType,
    /// The id of the API client, unless it is sent by HTTP Basic authentication.
    #[schema(max_length = 100)]
    client_id: Option<String>,
    /// The secret of the API client, unless it is sent by HTTP Basic authentication.
    #[schema(max_length = 200, format = Password)]
    client_secret: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`, when the API client proves itself by a key.
    #[schema(max_length = 100)]
    client_assertion_type: Option<String>,
    /// The assertion that the API client has signed.
    #[schema(max_length = 4096)]
    client_assertion: Option<String>,
    /// The name of a demo account.
    #[schema(max_length = 100)]
    username: Option<String>,
    /// The password of the demo account.
    #[schema(max_length = 200, format = Password)]
    password: Option<String>,
    /// Taken and ignored: what a caller may do follows from its roles.
    #[schema(max_length = 200)]
    scope: Option<String>,
}

/// A token that is to be ended.
#[derive(ToSchema)]
#[schema(example = json!({"token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2ln"}))]
#[expect(dead_code, reason = "describes the form in the API document; it is read pair by pair")]
pub struct RevocationRequest {
    /// The token.
    #[schema(min_length = 1, max_length = 4096)]
    token: String,
    /// Taken and ignored: there is one kind of token here.
    #[schema(max_length = 100)]
    token_type_hint: Option<String>,
    /// As at the token endpoint.
    #[schema(max_length = 100)]
    client_id: Option<String>,
    /// As at the token endpoint.
    #[schema(max_length = 200, format = Password)]
    client_secret: Option<String>,
    /// As at the token endpoint.
    #[schema(max_length = 100)]
    client_assertion_type: Option<String>,
    /// As at the token endpoint.
    #[schema(max_length = 4096)]
    client_assertion: Option<String>,
}

/// What is said of a token that was to be ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"active": false}))]
pub struct RevocationView {
    /// Always false.
    pub active: bool,
}

/// How a token is asked for.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum GrantType {
    /// For machines.
    ClientCredentials,
    /// For demo accounts.
    Password,
}

/// An access token.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2ln", "token_type": "Bearer", "expires_in": 900}))]
pub struct TokenView {
    /// The token, for `Authorization: Bearer …`.
    #[schema(max_length = 4096)]
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(max_length = 10)]
    pub token_type: &'static str,
    /// Seconds until it ends.
    #[schema(minimum = 1, maximum = 900)]
    pub expires_in: i64,
}

/// The public keys that our tokens are signed with (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"keys": [{
    "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "k1", "use": "sig", "alg": "EdDSA"
}]}))]
pub struct KeySetView {
    /// The keys.
    #[schema(value_type = Vec<Object>, max_items = 10)]
    pub keys: Value,
}

/// Where what is, for programs that find their way by themselves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "issuer": "http://127.0.0.1:8080", "token_endpoint": "http://127.0.0.1:8080/oauth/token",
    "jwks_uri": "http://127.0.0.1:8080/.well-known/jwks.json", "grant_types_supported": ["client_credentials"],
    "revocation_endpoint": "http://127.0.0.1:8080/oauth/revoke",
    "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic", "client_secret_post"],
    "token_endpoint_auth_signing_alg_values_supported": ["ES256", "EdDSA", "RS256", "PS256"], "response_types_supported": []
}))]
pub struct DiscoveryView {
    /// The `iss` of our tokens.
    #[schema(max_length = 300)]
    pub issuer: String,
    /// Where tokens are given.
    #[schema(max_length = 300)]
    pub token_endpoint: String,
    /// Where tokens are ended.
    #[schema(max_length = 300)]
    pub revocation_endpoint: String,
    /// Where the public keys are.
    #[schema(max_length = 300)]
    pub jwks_uri: String,
    /// How tokens can be asked for.
    #[schema(max_items = 5)]
    pub grant_types_supported: Vec<&'static str>,
    /// How machines prove who they are.
    #[schema(max_items = 5)]
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// The algorithms that a machine may sign an assertion with.
    #[schema(max_items = 10)]
    pub token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// None: there is no sign-in page here.
    #[schema(max_items = 5)]
    pub response_types_supported: Vec<&'static str>,
}
