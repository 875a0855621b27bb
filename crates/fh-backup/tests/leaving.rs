//! Getting out without this program: stock `pg_restore`, `psql`, `age` and `zstd` are the readers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "tool/same.rs"]
mod same;
mod tool;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fh_backup::body::Body;
use fh_repository::{Access, Location, Repository, S3Options, SetFields, open_store};
use fh_testkit::{Postgres, require, sql};
use same::{assert_same, assert_same_contents};
use tool::{Ran, Tool, files, ran, small_server};

/// A program of PostgreSQL as a person would call it: with the server in the environment.
fn client(server: &Postgres, program: &str) -> Command {
    let mut command = Command::new(server.bin_dir().join(program));
    command.env("PGHOST", server.socket_dir());
    command.env("PGPORT", server.port().to_string());
    command.env("PGUSER", server.superuser());
    command
}

fn run(command: &mut Command) -> Ran {
    ran(&command.output().unwrap())
}

/// Stock `pg_restore`, with two jobs for the rows. Definitions are one job's: it would grant on a table before the schema
/// can be used, and making the index of a partition while another job attaches one can deadlock.
fn pg_restore(server: &Postgres, folder: &Path, database: &str) {
    server.create_database(database);
    for section in [
        &["--section=pre-data"][..],
        &["--section=data", "-j2"],
        &["--section=post-data"],
    ] {
        let mut command = client(server, "pg_restore");
        command
            .args(["--exit-on-error", "--dbname", database])
            .args(section)
            .arg(folder);
        run(&mut command).expect(0);
    }
}

fn psql(server: &Postgres, database: &str, file: &Path) {
    server.create_database(database);
    let mut command = client(server, "psql");
    command.args([
        "-X",
        "-q",
        "-v",
        "ON_ERROR_STOP=1",
        "-o",
        "/dev/null",
        "-d",
        database,
        "-f",
    ]);
    run(command.arg(file)).expect(0);
}

#[test]
fn stock_programs_load_what_is_exported() {
    let server = require!(Postgres::try_start());
    server.create_database("zoo");
    sql::load_schema_zoo(&server, "zoo");
    let tool = Tool::new()
        .in_folder(true)
        .with("DATABASE_URL", server.url("zoo"));
    tool.run(&["create"]).expect(0);
    tool.run(&["verify", "--full"]).expect(0);

    let told = tool.run(&["export", "--to", "dump", "--jobs", "2"]).expect(0);
    assert!(
        told.stdout.contains("counts and hashes are those of the backup"),
        "{}",
        told.stdout
    );
    pg_restore(&server, &tool.path("dump"), "from_folder");
    assert_same_contents((&server, "zoo"), (&server, "from_folder"));

    // Only SQL on stdout, all of it in one transaction; the report is on stderr.
    let sql = tool.run(&["export", "--as", "sql", "--to", "-"]).expect(0);
    assert!(sql.stderr.contains("the SQL is complete"), "{}", sql.stderr);
    std::fs::write(tool.path("piped.sql"), &sql.stdout).unwrap();
    psql(&server, "from_pipe", &tool.path("piped.sql"));
    assert_same_contents((&server, "zoo"), (&server, "from_pipe"));
    let cut = &sql.stdout[..sql.stdout.len() - 200];
    server.create_database("from_cut");
    // However it ends, nothing of it is there.
    drop(server.try_psql("from_cut", cut));
    assert_eq!(
        server.psql(
            "from_cut",
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ),
        "0"
    );
}

#[test]
fn what_is_there_is_not_overwritten_and_what_is_damaged_is_not_finished() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    std::fs::create_dir(tool.path("taken")).unwrap();
    let refused = tool.run(&["export", "--to", "taken"]).expect(4);
    assert!(
        refused.stderr.contains("taken exists already"),
        "{}",
        refused.stderr
    );
    tool.run(&["export", "--as", "sql", "--to", "taken"]).expect(4);
    tool.run(&["export", "--to", "-"]).expect(2);
    tool.run(&["export", "--to", "x", "--no-owner"]).expect(2);
    tool.run(&["export", "--to", "x", "--database", "other"])
        .expect(2);
    assert_eq!(std::fs::read_dir(tool.path("taken")).unwrap().count(), 0);

    // The segment with the rows is the largest.
    let all = files(&tool.path("repository/segments"));
    let (path, _) = all.iter().max_by_key(|(_, content)| content.len()).unwrap();
    std::fs::remove_file(path).unwrap();
    let before = std::fs::read_dir(tool.folder.path()).unwrap().count();
    for shape in ["directory", "sql"] {
        let bad = tool.run(&["export", "--as", shape, "--to", "new"]).expect(1);
        assert!(bad.stderr.contains("is missing"), "{}", bad.stderr);
    }
    let cut = tool.run(&["export", "--as", "sql", "--to", "-"]).expect(1);
    assert!(!cut.stdout.contains("COMMIT"), "{}", cut.stdout);
    assert_eq!(std::fs::read_dir(tool.folder.path()).unwrap().count(), before);
}

#[test]
fn sql_goes_to_a_file_and_a_pg_restore_that_fails_leaves_none() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(server) = small_server() else { return };
    let mut tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    tool.run(&["export", "--as", "sql", "--to", "good.sql"]).expect(0);
    psql(&server, "from_sql", &tool.path("good.sql"));
    assert_same_contents((&server, "shop"), (&server, "from_sql"));

    let folder = tool.path("bin");
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("pg_restore");
    let version = format!(
        "[ \"$1\" != --version ] || {{ echo 'pg_restore (PostgreSQL) {}.0'; exit; }}",
        server.major()
    );
    for script in ["echo 'out of cheese' >&2; exit 1", "exit 0"] {
        std::fs::write(&path, format!("#!/bin/sh\n{version}\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        tool.set("FH_PG_BINDIR", folder.display().to_string());
        let failed = tool.run(&["export", "--as", "sql", "--to", "new.sql"]).expect(3);
        assert!(failed.stderr.contains("pg_restore"), "{}", failed.stderr);
        assert!(!tool.path("new.sql").exists());
    }
}

/// The commands of the page, in order: its `sh` blocks.
fn commands(page: &str) -> String {
    let blocks = page.split("```sh\n").skip(1);
    let text: Vec<&str> = blocks.map(|block| block.split("```").next().unwrap()).collect();
    assert!(!text.is_empty(), "{page}");
    format!("set -eu\n{}", text.concat())
}

/// Runs the page as it is printed, on a server where the database is not.
fn follow(server: &Postgres, tool: &Tool) -> Ran {
    let page = tool.path(&format!("repository/sets/{}.RESTORE.md", tool.newest()));
    let script = commands(&std::fs::read_to_string(page).unwrap());
    let mut shell = client(server, "sh");
    shell = {
        let mut plain = Command::new("sh");
        plain.envs(shell.get_envs().filter_map(|(name, value)| Some((name, value?))));
        plain
    };
    let path = std::env::var_os("PATH").unwrap();
    let mut folders = vec![server.bin_dir().to_owned()];
    folders.extend(std::env::split_paths(&path));
    shell
        .args(["-c", &script])
        .current_dir(tool.path("repository"))
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env("IDENTITY", tool.path("identity.txt"))
        .stdin(Stdio::null());
    run(&mut shell)
}

fn rename(from: &str, to: &str) -> String {
    format!("ALTER DATABASE \"{from}\" RENAME TO \"{to}\"")
}

/// The file of the largest segment with rows.
fn largest_rows(tool: &Tool) -> PathBuf {
    let shown = tool.run(&["show", "--format", "json"]).expect(0).json();
    let tables = shown["data"]["databases"][0]["tables"]
        .as_array()
        .unwrap()
        .clone();
    let segments = tables
        .iter()
        .flat_map(|table| table["segments"].as_array().unwrap());
    let largest = segments.max_by_key(|segment| segment["size"].as_u64()).unwrap();
    let object = largest["object"].as_str().unwrap();
    tool.path(&format!("repository/segments/{}/{object}", &object[..2]))
}

#[test]
fn the_page_in_every_set_restores_it_as_printed() {
    let server = require!(Postgres::try_start());
    for program in ["age", "zstd"] {
        if Command::new(program).arg("--version").output().is_err() {
            let missing = fh_testkit::Missing {
                service: program,
                remedy: format!("Run `cargo xtask setup`, or `apt-get install {program}`."),
            };
            require!(Err::<(), _>(missing.into()));
        }
    }
    server.create_database("zoo");
    sql::load_schema_zoo(&server, "zoo");
    // An odd name, and no more than it takes.
    server.create_database("it's a shop");
    server.psql(
        "it's a shop",
        "CREATE TABLE some_table (id int); INSERT INTO some_table SELECT generate_series(1, 500);
         SELECT lo_from_bytea(4711, '\\x00ff'); COMMENT ON DATABASE \"it's a shop\" IS 'small';",
    );
    for (encrypted, name) in [(true, "zoo"), (false, "it's a shop")] {
        let tool = Tool::new()
            .in_folder(encrypted)
            .with("DATABASE_URL", server.url(name));
        std::fs::create_dir_all(tool.path("media/odd name")).unwrap();
        std::fs::write(tool.path("media/odd name/picture"), vec![7; 3 << 20]).unwrap();
        std::fs::write(tool.path("media/tree.tar"), "named like a file of the script").unwrap();
        std::fs::write(
            tool.path("financehub.toml"),
            "[[backup.files]]\nname = 'private name'\npath = 'media'\n",
        )
        .unwrap();
        tool.run(&["create"]).expect(0);
        tool.run(&["verify", "--full"]).expect(0);
        server.psql("postgres", &rename(name, "original"));
        follow(&server, &tool).expect(0);
        assert_same((&server, "original"), (&server, name));
        let below = |folder: &Path| -> Vec<(PathBuf, Vec<u8>)> {
            let found = files(folder).into_iter();
            found
                .map(|(path, bytes)| (path.strip_prefix(folder).unwrap().to_owned(), bytes))
                .collect()
        };
        assert_eq!(
            below(&tool.path("repository/files-1/files")),
            below(&tool.path("media"))
        );
        // In clear it says no more than the set's header.
        let page =
            std::fs::read_to_string(tool.path(&format!("repository/sets/{}.RESTORE.md", tool.newest())))
                .unwrap();
        let table = server.psql(
            "original",
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text IN ('zoo', 'public')
             ORDER BY length(relname) DESC LIMIT 1",
        );
        assert!(!page.contains(&table), "{table} is in the page");
        assert!(!page.contains("private name"), "the tree's name is in the page");

        // Rows that are gone must not give a database that looks whole: neither cut off nor, in clear, left out well.
        server.drop_database(name);
        let path = largest_rows(&tool);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        if !encrypted {
            std::fs::write(tool.path("whole.zst"), &whole).unwrap();
            let shorten = "zstd -q -d whole.zst && sed '$d' whole | zstd -q -o short.zst && cat short.zst";
            let shortened = Command::new("sh")
                .args(["-c", shorten])
                .current_dir(tool.folder.path())
                .output()
                .unwrap();
            assert!(shortened.status.success());
            std::fs::write(&path, shortened.stdout).unwrap();
        }
        for folder in ["restored-1", "restore-1.sh", "restore-1.sh.zst"] {
            let path = tool.path("repository").join(folder);
            drop(std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path)));
        }
        let failed = follow(&server, &tool);
        assert_ne!(failed.code, 0);
        assert!(
            encrypted || failed.stderr.contains(" rows instead of "),
            "{}",
            failed.stderr
        );
        assert_eq!(
            server.psql(
                "postgres",
                "SELECT count(*) FROM pg_database WHERE datname IN ('zoo', 'it''s a shop')"
            ),
            if encrypted { "1" } else { "0" }
        );
        server.drop_database("original");
    }
}

/// A set like the newest one, with another script behind its page; sealed as a good one is.
async fn forge(place: &Path) -> fh_core::Result<()> {
    let location = Location::parse(&place.display().to_string())?;
    let store = open_store(&location, &S3Options::default(), fh_core::Deadline::never()).await?;
    let repository = Repository::open(store, Access::default()).await?;
    let set = repository.open_set(&repository.resolve("latest").await?).await?;
    let mut body: Body = repository.read_body(&set)?;
    let writer = repository.writer(1).await?;
    let database = &mut body.databases[0];
    let tables = database.tables.iter().flat_map(|table| &table.data.segments);
    for segment in tables.chain(&database.toc) {
        writer.put(repository.read_segment(segment).await?.into()).await?;
    }
    if let Some(leaving) = &mut database.leaving {
        let toc = repository.read_segment(&leaving.toc).await?;
        writer.put(toc.into()).await?;
        let script =
            String::from_utf8_lossy(&repository.read_segment(&leaving.script).await?).replace("5000", "4999");
        leaving.script = writer.put(script.into_bytes().into()).await?;
    }
    repository
        .commit(&writer, SetFields::default(), &body)
        .await
        .map(drop)
}

#[test]
fn a_script_that_does_not_fit_the_set_is_found_by_a_full_verification() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    tool.run(&["verify", "--full"]).expect(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(forge(&tool.path("repository"))).unwrap();
    tool.run(&["verify"]).expect(0);
    let bad = tool.run(&["verify", "--full"]).expect(1);
    assert!(bad.stdout.contains("RESTORE.md leads to"), "{}", bad.stdout);
}
