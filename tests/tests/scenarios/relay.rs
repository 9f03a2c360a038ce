//! What phones carry for each other, as bytes and as texts to be scanned.

use homeline::Result;
use homeline::seal::hex;
use serde::Deserialize;

use crate::expect;
use crate::player::Player;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelayExport {
    r#as: Option<String>,
    /// At most so many parcels; absent: as many as a bundle holds.
    parcels: Option<u64>,
    empty: Option<bool>,
}

impl RelayExport {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let limit = self.parcels.map_or(u64::MAX, |parcels| 4 + parcels * 2_048);
        let bundle = player.home().relay().export(limit)?;
        expect(bundle.is_empty(), self.empty);
        player.keep(self.r#as, hex(&bundle));
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelayImport {
    bundle: String,
    taken: Option<u32>,
    known: Option<u32>,
    left_out: Option<u32>,
    receipts: Option<u32>,
}

impl RelayImport {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let bundle = bytes(&player.named(&self.bundle));
        let import = player.home().relay().import(bundle)?;
        expect(import.taken, self.taken);
        expect(import.known, self.known);
        expect(import.left_out, self.left_out);
        expect(import.receipts, self.receipts);
        Ok(())
    }
}

/// The texts are kept under one name, a line each.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelayExportQr {
    r#as: Option<String>,
    limit: Option<u32>,
    texts: Option<usize>,
}

impl RelayExportQr {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let texts = player.home().relay().export_qr(self.limit.unwrap_or(64))?;
        expect(texts.len(), self.texts);
        player.keep(self.r#as, texts.join("\n"));
        Ok(())
    }
}

/// All texts are scanned, the last one first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelayImportQr {
    texts: String,
    taken: Option<u32>,
    receipts: Option<u32>,
}

impl RelayImportQr {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let texts = player.named(&self.texts);
        let texts: Vec<&str> = texts.lines().rev().collect();
        let mut import = None;
        for (scanned, text) in (1..).zip(&texts) {
            assert_eq!(import, None, "whole before the last text");
            let scan = player.home().relay().import_qr((*text).to_owned())?;
            assert_eq!(scan.scanned, scanned);
            assert_eq!(usize::try_from(scan.total).unwrap(), texts.len());
            import = scan.import;
        }
        let import = import.unwrap();
        expect(import.taken, self.taken);
        expect(import.receipts, self.receipts);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelayStatus {
    own_waiting: Option<u32>,
    carried: Option<u32>,
    passed_on: Option<u64>,
    refused: Option<u64>,
}

impl RelayStatus {
    pub(crate) fn play(self, player: &mut Player<'_>) -> Result<()> {
        let status = player.home().relay().status()?;
        expect(status.own_waiting, self.own_waiting);
        expect(status.carried, self.carried);
        expect(status.passed_on, self.passed_on);
        expect(status.refused, self.refused);
        Ok(())
    }
}

/// Of what is no hexadecimal, the bytes of the text itself.
fn bytes(kept: &str) -> Vec<u8> {
    let pairs = kept.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = pairs.map(byte).collect();
    bytes.unwrap_or_else(|| kept.into())
}
