//! A backup of a running server.

use crate::{args::BackupArgs, commands::serve, failure::Failure};
use queqiao_proto::v1::{self, admin_service_client::AdminServiceClient};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};
use tonic::{
    Request, Status,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

/// Fetches a backup into the file. It appears under its name when it is whole, compared with its sum,
/// and on disk.
pub(super) fn fetch(server: &str, args: &BackupArgs) -> Result<(), Failure> {
    let key = key(args)?;
    let runtime = serve::runtime()?;
    let channel = runtime.block_on(connect(server, args.ca.as_deref()))?;
    let keys = super::keys_beside(&args.file);
    // Records first: keys that are newer open them all.
    for (part, file) in [
        (v1::BackupPart::Records, &args.file),
        (v1::BackupPart::Keys, &keys),
    ] {
        let partial = partial(file);
        if part == v1::BackupPart::Keys {
            // What an interrupted call left; the file itself is replaced only by a whole one.
            let _ = fs::remove_file(&partial);
        }
        let done = runtime.block_on(receive(channel.clone(), key.clone(), part, &partial));
        let done =
            done.and_then(|()| fs::rename(&partial, file).map_err(|e| failed("naming", file, &e)));
        if done.is_err() {
            // The first failure is the one to tell.
            let _ = fs::remove_file(&partial);
            return done;
        }
    }
    Ok(())
}

fn partial(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    file.with_file_name(name)
}

fn failed(doing: &str, path: &Path, e: &dyn std::fmt::Display) -> Failure {
    let shown = path.display();
    Failure::failed(
        format!("{doing} {shown} failed: {e}"),
        format!("处理 {shown} 失败：{e}"),
    )
}

fn key(args: &BackupArgs) -> Result<Option<String>, Failure> {
    let text = match &args.key_file {
        Some(path) => Some(fs::read_to_string(path).map_err(|e| failed("reading", path, &e))?),
        None => std::env::var("QUEQIAO_KEY").ok(),
    };
    Ok(text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()))
}

async fn connect(server: &str, ca: Option<&Path>) -> Result<Channel, Failure> {
    let wrong = |e: tonic::transport::Error| {
        let why = crate::failure::chain(&e);
        Failure::failed(
            format!(
                "{server} does not answer ({why}): give the address as http:// or https:// with its port, and --ca where its authority is your own"
            ),
            format!(
                "{server} 无应答（{why}）：地址应为 http:// 或 https:// 加端口；自建 CA 请用 --ca 指定"
            ),
        )
    };
    let mut endpoint = Endpoint::from_shared(server.to_owned()).map_err(wrong)?;
    if let Some(path) = ca {
        let pem = fs::read(path).map_err(|e| failed("reading", path, &e))?;
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
        endpoint = endpoint.tls_config(tls).map_err(wrong)?;
    }
    endpoint.connect().await.map_err(wrong)
}

async fn receive(
    channel: Channel,
    key: Option<String>,
    part: v1::BackupPart,
    partial: &Path,
) -> Result<(), Failure> {
    let refused = |s: Status| {
        Failure::failed(
            format!("the server says: {}", s.message()),
            format!("服务器返回：{}", s.message()),
        )
    };
    let mut request = Request::new(v1::BackupRequest { part: part.into() });
    if let Some(key) = key {
        let value = format!("Bearer {key}").parse().map_err(|_| {
            Failure::input(
                "the key is not one line of ASCII: copy it whole",
                "密钥应为一行 ASCII 文本：请完整复制",
            )
        })?;
        request.metadata_mut().insert("authorization", value);
    }
    let mut chunks = AdminServiceClient::new(channel)
        .backup(request)
        .await
        .map_err(refused)?
        .into_inner();
    let io = |e: std::io::Error| failed("writing", partial, &e);
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(partial).map_err(io)?;
    let mut sum = blake3::Hasher::new();
    let mut size = 0_u64;
    let mut whole = false;
    while let Some(chunk) = chunks.message().await.map_err(refused)? {
        file.write_all(&chunk.data).map_err(io)?;
        sum.update(&chunk.data);
        size += chunk.data.len() as u64;
        whole = chunk.blake3 == sum.finalize().to_hex().as_str()
            && u64::try_from(chunk.size).is_ok_and(|s| s == size);
    }
    if !whole {
        return Err(Failure::failed(
            "what arrived is not the backup that was sent: try again",
            "收到的备份与发送的不一致：请重试",
        ));
    }
    file.sync_all().map_err(io)
}
