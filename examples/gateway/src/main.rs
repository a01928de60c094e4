//! An LLM gateway with every guard-rail of palisade on.
//!
//! `palisade-gateway` serves; `palisade-gateway demo` sends a scripted walk of requests through a server of its own and
//! shows what each guard did; `palisade-gateway mock` runs the mock provider alone.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use palisade_gateway::{Config, Gateway};
use tracing_subscriber::EnvFilter;

// The system's allocator costs a tenth of the throughput here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An LLM gateway with every guard-rail on.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The configuration file; without one, the embedded mock answers with every guard on.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Serve requests until SIGINT or SIGTERM. The default.
    Serve,
    /// Send a walk of real requests through a server and show what each guard did.
    Demo,
    /// Read the configuration, say what is wrong with it, and end.
    Check,
    /// Run the mock provider alone.
    Mock {
        /// Where it listens.
        #[arg(long, default_value = "127.0.0.1:8788")]
        listen: SocketAddr,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let quiet = matches!(arguments.command, Some(Command::Demo));
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(if quiet { "error" } else { "info" }));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("palisade-gateway: no runtime: {error}");
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(run(arguments)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("palisade-gateway: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let file = arguments.config.as_deref();
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(Config::load(file)?).await,
        Command::Demo => palisade_gateway::demo().await,
        Command::Check => {
            let config = Config::load(file)?;
            Gateway::check(&config)?;
            println!(
                "the configuration is good: {} models",
                config.models().count()
            );
            Ok(ExitCode::SUCCESS)
        }
        Command::Mock { listen } => {
            let listener = tokio::net::TcpListener::bind(listen).await?;
            println!("mock provider on http://{}", listener.local_addr()?);
            match palisade_gateway::mock(listener).await? {}
        }
    }
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let model = config.models().next().unwrap_or("gpt-4o-mini").to_owned();
    let mut gateway = Gateway::start(config).await?;
    println!("palisade gateway listens on http://{}", gateway.address());
    let key = match gateway.take_first_key() {
        Some(key) => {
            println!(
                "\nA development key was made. It is shown this once, and only its digest is stored:\n\n  {key}\n"
            );
            key
        }
        None => "$PALISADE_KEY".to_owned(),
    };
    println!(
        "Try it:\n\n  curl http://{}/v1/chat/completions \\\n    -H 'authorization: Bearer {key}' \\\n    \
         -H 'content-type: application/json' \\\n    \
         -d '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'\n",
        gateway.address()
    );
    tokio::select! {
        stopped = stop_signal() => {
            stopped?;
            tracing::info!("stopping: draining connections, settling, writing");
            gateway.stop().await?;
            Ok(ExitCode::SUCCESS)
        }
        failed = gateway.failed() => {
            failed?;
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn stop_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
