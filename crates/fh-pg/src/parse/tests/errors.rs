//! What errors say, and that they never say a password.

use fh_core::{Exit, Secret};

use super::environment;
use crate::environment::Environment;
use crate::parse::{read, resolve::resolve};
use crate::target::ConnectionString;

/// Every text here is wrong; the word `hunter` stands where a password is or may be.
const WRONG: [&str; 50] = [
    "",
    "  \n",
    "hunter",
    "host=h hunter",
    "host=h password='hunter",
    "host=h password=two hunter",
    "host=h password=two hunter=2",
    "host=h =hunter",
    "h\0hunter",
    "postgresql+psycopg://u:hunter@h/d",
    "jdbc:postgresql://h/d?password=hunter",
    "postgis://u:hunter@h/d",
    "MySQL://u:hunter@h/d",
    "u:hunter://x@h/d",
    "postgres://u:hunter%@h/d",
    "postgres://u:hunter%zz@h/d",
    "postgres://u:hunter%00@h/d",
    "postgres://u:hunter%ff@h/d",
    "postgres://u:x@hunter@h/d",
    "postgres://u:hunter/x@h/d",
    "postgres://u:1/hunter@h/d",
    "postgres://u:1/x?hunter=y@h/d",
    "postgres://u:1/x?hunter@h/d",
    "postgres://u:x@hunt/er@h/d",
    "postgres://u:hunter@h:65536/d",
    "postgres://u:hunter@h:0/d",
    "postgres://u:hunter@h:12a/d",
    "postgres://u:hunter@[::1/d",
    "postgres://u:hunter@[]/d",
    "postgres://u:hunter@[::1]x/d",
    "postgres://h/d?a=b=hunter",
    "postgres://h/d?password=a&hunter=b",
    "postgres://h/d?password=hunter&sslmod=require",
    "postgres://h/d?schema=public",
    "host=h ssl=on",
    "host=a,b port=1,2,3",
    "host=a,b hostaddr=127.0.0.1",
    "host=h hostaddr=hunter",
    "host=@hunter",
    "host=h sslmode=verify_full",
    "host=h sslmode=no-verify",
    "host=h sslmode=hunter",
    "host=h sslmode=",
    "host=h sslrootcert=system sslmode=require",
    "host=h sslnegotiation=direct",
    "host=h ssl_max_protocol_version=TLSv1.1",
    "host=h sslcert=/c",
    "host=h sslcertmode=require",
    "host=h gssencmode=require",
    "host=h connect_timeout=soon",
];

/// These are right for libpq, and we cannot do them.
const REFUSED: [&str; 12] = [
    "service=hunter",
    "host=h servicefile=/hunter",
    "host=h sslcrl=/crl",
    "host=h sslcrldir=/crl",
    "host=h sslpassword=hunter",
    "host=h sslkeylogfile=/log",
    "host=h requirepeer=postgres",
    "host=h require_auth=scram-sha-256",
    "host=h replication=database",
    "host=h scram_client_key=hunter",
    "host=h oauth_issuer=https://example.com",
    "host=h oauth_client_secret=hunter",
];

fn errors(texts: &[&str]) -> String {
    let mut said = String::new();
    for text in texts {
        // Not through `Secret::scrub`: what is registered must not be needed to keep the password out.
        let error = read(text)
            .and_then(|settings| resolve(&settings, &environment()))
            .expect_err(text);
        assert_eq!(error.exit(), Exit::Usage, "{text}");
        let rendered = error.render();
        assert!(!rendered.contains("hunt"), "{text}: {rendered}");
        said.push_str(&format!("{text:?}\n{rendered}\n\n"));
    }
    said
}

#[test]
fn errors_say_what_is_wrong_without_the_password() {
    insta::assert_snapshot!(errors(&WRONG), @r##"
""
error: the connection string is empty
hint: write postgresql://user@host:5432/database; a bare postgresql:// takes everything from the PG… variables

"  \n"
error: the connection string is empty
hint: write postgresql://user@host:5432/database; a bare postgresql:// takes everything from the PG… variables

"hunter"
error: the connection string has a word that no `=` follows
hint: write a URL such as postgresql://user@host:5432/database, or pairs such as host=… dbname=…; a value with spaces stands in single quotes, with \' for a quote and \\ for a backslash in it

"host=h hunter"
error: the connection string has a word that no `=` follows
hint: write a URL such as postgresql://user@host:5432/database, or pairs such as host=… dbname=…; a value with spaces stands in single quotes, with \' for a quote and \\ for a backslash in it

"host=h password='hunter"
error: the connection string has a quoted value without an end
hint: a value with spaces stands in single quotes, with \' for a quote and \\ for a backslash in it

"host=h password=two hunter"
error: the connection string has a word that no `=` follows
hint: write a URL such as postgresql://user@host:5432/database, or pairs such as host=… dbname=…; a value with spaces stands in single quotes, with \' for a quote and \\ for a backslash in it

"host=h password=two hunter=2"
error: parameter 3 of the connection string has an unknown name
hint: the names are those of libpq (PostgreSQL manual, 34.1.2); a value with spaces stands in single quotes, with \' for a quote and \\ for a backslash in it

"host=h =hunter"
error: parameter 2 of the connection string has an unknown name
hint: the names are those of libpq (PostgreSQL manual, 34.1.2); a value with spaces stands in single quotes, with \' for a quote and \\ for a backslash in it

"h\0hunter"
error: the connection string has a NUL character
hint: it is no text: was the right file read?

"postgresql+psycopg://u:hunter@h/d"
error: the connection URL begins with postgresql+psycopg://, which is another library's way to write it
hint: begin it with postgresql:// and leave the rest as it is

"jdbc:postgresql://h/d?password=hunter"
error: the connection URL begins with jdbc:postgresql://, which is another library's way to write it
hint: begin it with postgresql:// and leave the rest as it is

"postgis://u:hunter@h/d"
error: the connection URL begins with postgis://, which is another library's way to write it
hint: begin it with postgresql:// and leave the rest as it is

"MySQL://u:hunter@h/d"
error: the connection URL is one of mysql, not of PostgreSQL
hint: it must begin with postgresql:// or postgres://

"u:hunter://x@h/d"
error: the connection URL has an unknown scheme
hint: it must begin with postgresql:// or postgres://

"postgres://u:hunter%@h/d"
error: the connection URL has a % that two hexadecimal digits do not follow
hint: a percent sign itself is written %25

"postgres://u:hunter%zz@h/d"
error: the connection URL has a % that two hexadecimal digits do not follow
hint: a percent sign itself is written %25

"postgres://u:hunter%00@h/d"
error: the connection URL has a %00, which no value can hold
hint: percent-encode special characters of the user name and password: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25

"postgres://u:hunter%ff@h/d"
error: the connection URL is not UTF-8 after percent-decoding
hint: percent-encode special characters of the user name and password: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25

"postgres://u:x@hunter@h/d"
error: the connection URL has an @ in the name of its host
hint: percent-encode special characters of the user name and password: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25

"postgres://u:hunter/x@h/d"
error: the connection URL has an @ in the name of its database
hint: percent-encode special characters of the user name and password: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25

"postgres://u:1/hunter@h/d"
error: the connection URL has an @ in the name of its database
hint: percent-encode special characters of the user name and password: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25

"postgres://u:1/x?hunter=y@h/d"
error: parameter 1 of the connection string has an unknown name
hint: the names are those of libpq (PostgreSQL manual, 34.1.2); percent-encode special characters of the user name and password: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25

"postgres://u:1/x?hunter@h/d"
error: the connection URL has a parameter without a value
hint: write ?name=value&name=value

"postgres://u:x@hunt/er@h/d"
error: the connection URL has an @ in the name of its database
hint: percent-encode special characters of the user name and password: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25

"postgres://u:hunter@h:65536/d"
error: `port` in the connection string is not between 1 and 65535
hint: PostgreSQL's own port is 5432; a password with special characters must be encoded or quoted

"postgres://u:hunter@h:0/d"
error: `port` in the connection string is not between 1 and 65535
hint: PostgreSQL's own port is 5432; a password with special characters must be encoded or quoted

"postgres://u:hunter@h:12a/d"
error: `port` in the connection string is not a number
hint: percent-encode special characters of the user name and password: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25

"postgres://u:hunter@[::1/d"
error: the connection URL has an IPv6 address without a closing bracket
hint: write it as postgresql://user@[2001:db8::1]:5432/database

"postgres://u:hunter@[]/d"
error: the connection URL has a malformed IPv6 address
hint: write it as postgresql://user@[2001:db8::1]:5432/database

"postgres://u:hunter@[::1]x/d"
error: the connection URL has a malformed IPv6 address
hint: write it as postgresql://user@[2001:db8::1]:5432/database

"postgres://h/d?a=b=hunter"
error: the connection URL has a parameter with two `=`
hint: percent-encode = inside a value as %3D, and separate parameters by &

"postgres://h/d?password=a&hunter=b"
error: parameter 2 of the connection string has an unknown name
hint: the names are those of libpq (PostgreSQL manual, 34.1.2); percent-encode special characters of the user name and password: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25

"postgres://h/d?password=hunter&sslmod=require"
error: parameter 2 of the connection string has an unknown name
hint: did you mean `sslmode`?

"postgres://h/d?schema=public"
error: the connection string has a parameter `schema`, which libpq does not know
hint: it is another library's: leave it out

"host=h ssl=on"
error: the connection string has a parameter `ssl`, which libpq does not know
hint: write sslmode=verify-full, or sslmode=disable for none

"host=a,b port=1,2,3"
error: `port` in the connection string has 3 ports for 2 host(s)
hint: give one port for all hosts, or one for each

"host=a,b hostaddr=127.0.0.1"
error: the connection string has 2 value(s) for `host` and 1 for `hostaddr`
hint: give as many addresses as hosts, or leave `hostaddr` out

"host=h hostaddr=hunter"
error: `hostaddr` in the connection string is not an IP address
hint: use `host` for a name

"host=@hunter"
error: `host` in the connection string is an abstract Unix socket, which is not supported
hint: give the folder of a socket file, such as host=/var/run/postgresql

"host=h sslmode=verify_full"
error: `sslmode` in the connection string has an unknown value
hint: did you mean sslmode=verify-full? The values are disable, allow, prefer, require, verify-ca, verify-full

"host=h sslmode=no-verify"
error: `sslmode` in the connection string has an unknown value
hint: did you mean sslmode=require? The values are disable, allow, prefer, require, verify-ca, verify-full

"host=h sslmode=hunter"
error: `sslmode` in the connection string has an unknown value
hint: the values are disable, allow, prefer, require, verify-ca, verify-full

"host=h sslmode="
error: `sslmode` in the connection string is empty
hint: the values are disable, allow, prefer, require, verify-ca, verify-full

"host=h sslrootcert=system sslmode=require"
error: sslmode=require is too weak for sslrootcert=system
hint: every public authority signs for everybody, so the host name must be checked too: sslmode=verify-full

"host=h sslnegotiation=direct"
error: sslnegotiation=direct needs a stronger sslmode
hint: add sslmode=require, verify-ca or verify-full

"host=h ssl_max_protocol_version=TLSv1.1"
error: the TLS versions that the connection string allows leave none to use
hint: TLS 1.2 and 1.3 are supported: leave out ssl_max_protocol_version

"host=h sslcert=/c"
error: `sslcert` is given and `sslkey` is not
hint: give both

"host=h sslcertmode=require"
error: `sslcertmode` in the connection string says require, which cannot be obeyed
hint: whether the server asks for a certificate is not checked: leave it out, and require it in pg_hba.conf

"host=h gssencmode=require"
error: `gssencmode` in the connection string says require, which cannot be obeyed
hint: Kerberos encryption is not supported: use TLS (sslmode=verify-full)

"host=h connect_timeout=soon"
error: `connect_timeout` in the connection string is not a whole number
hint: write connect_timeout=10
"##);
}

#[test]
fn what_cannot_be_obeyed_is_an_error() {
    insta::assert_snapshot!(errors(&REFUSED), @r##"
"service=hunter"
error: `service` in the connection string cannot be obeyed
hint: connection service files are not supported: write the service's settings into the connection string

"host=h servicefile=/hunter"
error: `servicefile` in the connection string cannot be obeyed
hint: connection service files are not supported: write the service's settings into the connection string

"host=h sslcrl=/crl"
error: `sslcrl` in the connection string cannot be obeyed
hint: certificate revocation lists are not supported: leave it out, or use another client

"host=h sslcrldir=/crl"
error: `sslcrldir` in the connection string cannot be obeyed
hint: certificate revocation lists are not supported: leave it out, or use another client

"host=h sslpassword=hunter"
error: `sslpassword` in the connection string cannot be obeyed
hint: encrypted client keys are not supported: decrypt the key file and protect it with mode 0600

"host=h sslkeylogfile=/log"
error: `sslkeylogfile` in the connection string cannot be obeyed
hint: TLS keys are never written to files: leave it out

"host=h requirepeer=postgres"
error: `requirepeer` in the connection string cannot be obeyed
hint: the socket's owner is not checked: protect the socket's folder instead

"host=h require_auth=scram-sha-256"
error: `require_auth` in the connection string cannot be obeyed
hint: the way of logging in cannot be pinned: use sslmode=verify-full, or channel_binding=require

"host=h replication=database"
error: `replication` in the connection string cannot be obeyed
hint: replication sessions are not supported: leave it out

"host=h scram_client_key=hunter"
error: `scram_client_key` in the connection string cannot be obeyed
hint: SCRAM keys are not supported: use the password

"host=h oauth_issuer=https://example.com"
error: `oauth_issuer` in the connection string cannot be obeyed
hint: OAuth is not supported: use a password or a client certificate

"host=h oauth_client_secret=hunter"
error: `oauth_client_secret` in the connection string cannot be obeyed
hint: OAuth is not supported: use a password or a client certificate
"##);
}

#[test]
fn errors_name_the_variable_that_is_wrong() {
    let mut said = String::new();
    for (name, value) in [
        ("PGPORT", "99999"),
        ("PGPORT", "1,2"),
        ("PGSSLMODE", "on"),
        ("PGCONNECT_TIMEOUT", "5s"),
        ("PGHOSTADDR", "localhost"),
        ("PGSERVICE", "prod"),
        ("PGREQUIREAUTH", "scram-sha-256"),
        ("PGSSLCRL", "/crl"),
    ] {
        let environment = environment().with(name, value);
        let error = ConnectionString::parse(&Secret::new("host=h"), &environment).expect_err(name);
        assert_eq!(error.exit(), Exit::Usage);
        said.push_str(&format!("{name}={value}\n{}\n\n", error.render()));
    }
    let error = ConnectionString::parse(&Secret::new("host=h"), &Environment::empty()).unwrap_err();
    said.push_str(&error.render());
    insta::assert_snapshot!(said, @r##"
PGPORT=99999
error: the environment variable PGPORT is not between 1 and 65535
hint: PostgreSQL's own port is 5432; a password with special characters must be encoded or quoted

PGPORT=1,2
error: the environment variable PGPORT has 2 ports for 1 host(s)
hint: give one port for all hosts, or one for each

PGSSLMODE=on
error: the environment variable PGSSLMODE has an unknown value
hint: the values are disable, allow, prefer, require, verify-ca, verify-full

PGCONNECT_TIMEOUT=5s
error: the environment variable PGCONNECT_TIMEOUT is not a whole number
hint: write connect_timeout=10

PGHOSTADDR=localhost
error: the environment variable PGHOSTADDR is not an IP address
hint: use `host` for a name

PGSERVICE=prod
error: the environment variable PGSERVICE cannot be obeyed
hint: connection service files are not supported: write the service's settings into the connection string

PGREQUIREAUTH=scram-sha-256
error: the environment variable PGREQUIREAUTH cannot be obeyed
hint: the way of logging in cannot be pinned: use sslmode=verify-full, or channel_binding=require

PGSSLCRL=/crl
error: the environment variable PGSSLCRL cannot be obeyed
hint: certificate revocation lists are not supported: leave it out, or use another client

error: the connection string names no user, and this process's user has no name
hint: write postgresql://user@host/database, or set PGUSER
"##);
}
