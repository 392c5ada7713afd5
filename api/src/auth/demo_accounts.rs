//! The accounts that may sign in with a password, in demo mode alone.

/// The client id that tokens of the demo accounts name.
pub const DEMO_CLIENT_ID: &str = "lahete-demo";

/// The password of every demo account. It opens nothing outside demo mode, where no password is taken at all.
pub const DEMO_PASSWORD: &str = "hyvinvointilahete-demo";

/// One demo account, as the documentation page lists it.
#[derive(Clone, Copy, Debug)]
pub struct DemoAccount {
    /// The name to sign in with.
    pub login: &'static str,
    /// Who it is, for the list.
    pub description: &'static str,
}

/// All demo accounts.
pub const DEMO_ACCOUNTS: &[DemoAccount] = &[
    DemoAccount { login: "riikka", description: "Riikka Lähettäjä, referrer: writes referrals with her clients" },
    DemoAccount { login: "kaisa", description: "Kaisa Koordinaattori, coordinator: receives, guides, finds a link worker, closes" },
    DemoAccount { login: "liisa", description: "Liisa Linkki, link worker: walks beside the client" },
    DemoAccount { login: "lauri", description: "Lauri Linkki, another link worker" },
    DemoAccount { login: "aino", description: "Aino Esimerkki, client: her own referral, plan, visits, consents, and who has read" },
    DemoAccount { login: "pekka", description: "Pekka Päättäjä, report reader: statistics without small numbers" },
    DemoAccount { login: "tiina", description: "Tiina Tietosuoja, privacy officer: the audit trail" },
    DemoAccount { login: "antti", description: "Antti Ylläpito, admin: programmes, users, roles" },
];

/// The paragraph of the API document that lists the accounts.
#[must_use]
pub fn description() -> String {
    let mut text =
        String::from("**Demo mode.** Choose an account in the bar at the top of this page, or get a token with its name and the password ");
    text.push_str(&format!("`{DEMO_PASSWORD}`:\n\n| Account | Who |\n| --- | --- |\n"));
    for account in DEMO_ACCOUNTS {
        text.push_str(&format!("| `{}` | {} |\n", account.login, account.description));
    }
    text
}
