//! Protobuf, with a bound on what a small request may unfold to.
//!
//! Two bytes on the wire can be an empty message of a repeated field, which takes hundreds of bytes
//! in memory: 16 MiB of them would unfold to gigabytes. A request is therefore walked once, by the
//! interface's own descriptors, and refused before anything is allocated when its parts together
//! would take more than [`MAX_UNFOLDED`].

use crate::FILE_DESCRIPTOR_SET;
use prost::{
    Message, Name,
    bytes::Buf,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};
use prost_types::{FileDescriptorSet, field_descriptor_proto::Type};
use std::{collections::HashMap, marker::PhantomData, sync::OnceLock};
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder},
};
use tonic_prost::{ProstCodec, ProstDecoder, ProstEncoder};

/// Greatest estimate of the parts of a request in memory, bytes, its texts apart.
pub const MAX_UNFOLDED: usize = 64 << 20;
/// Beginning of the message of the status that refuses a request which unfolds to more.
pub const UNFOLDS_TOO_FAR: &str = "the request has too many parts";

/// What a record takes, with its detail, or a question, which may hold one; no other message is as large.
const RECORD_BYTES: usize = 1_152;
/// What any other message or map entry takes.
const MESSAGE_BYTES: usize = 192;
/// What a text takes, its characters apart.
const TEXT_BYTES: usize = 24;
/// Messages of the interface nest less deep.
const MAX_DEPTH: usize = 16;

/// The codec of every method of `queqiao.v1`.
#[derive(Debug)]
pub struct BoundedCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for BoundedCodec<T, U> {
    fn default() -> Self {
        BoundedCodec(PhantomData)
    }
}

impl<T, U> Codec for BoundedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Name + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = BoundedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::default().encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        BoundedDecoder(ProstCodec::<T, U>::default().decoder())
    }
}

/// Decodes what does not unfold too far.
#[derive(Debug)]
pub struct BoundedDecoder<U>(ProstDecoder<U>);

impl<U: Message + Name + Default> Decoder for BoundedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        // A client reads what the server it chose has bounded already.
        if U::NAME.ends_with("Request") && unfolds_too_far(&U::full_name(), buf.chunk()) {
            return Err(Status::resource_exhausted(UNFOLDS_TOO_FAR));
        }
        self.0.decode(buf)
    }
}

/// Fields of a message that take room: texts, and messages by their number in the schema.
type Fields = HashMap<u32, Option<usize>>;

struct Schema {
    by_name: HashMap<String, usize>,
    messages: Vec<Fields>,
    /// Records and questions.
    large: Vec<usize>,
}

fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        // The bytes are a constant that a test reads; were they wrong, nothing would be refused.
        let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap_or_default();
        let mut all = Vec::new();
        for file in &set.file {
            for message in &file.message_type {
                let name = format!("{}.{}", file.package(), message.name());
                for entry in &message.nested_type {
                    all.push((format!("{name}.{}", entry.name()), entry));
                }
                all.push((name, message));
            }
        }
        let by_name: HashMap<String, usize> = all
            .iter()
            .enumerate()
            .map(|(i, (name, _))| (name.clone(), i))
            .collect();
        let messages = all
            .iter()
            .map(|(_, m)| {
                m.field
                    .iter()
                    .filter_map(|f| {
                        let number = u32::try_from(f.number()).ok()?;
                        match f.r#type() {
                            Type::Message => {
                                let of = by_name.get(f.type_name().trim_start_matches('.'));
                                Some((number, of.copied()))
                            }
                            Type::String | Type::Bytes => Some((number, None)),
                            _ => None,
                        }
                    })
                    .collect()
            })
            .collect();
        Schema {
            large: ["queqiao.v1.Record", "queqiao.v1.MatchRequest"]
                .into_iter()
                .filter_map(|name| by_name.get(name).copied())
                .collect(),
            by_name,
            messages,
        }
    })
}

/// Whether the parts of the message `name` in `bytes` would take more than [`MAX_UNFOLDED`]. Bytes
/// that are no message do not: the decoder says what is wrong with them.
#[doc(hidden)]
pub fn unfolds_too_far(name: &str, bytes: &[u8]) -> bool {
    let schema = schema();
    let mut room = MAX_UNFOLDED;
    match schema.by_name.get(name) {
        Some(root) => walk(schema, *root, bytes, &mut room, 0).is_none(),
        None => false,
    }
}

/// Takes the parts of a message from `room`; `None` when there is not enough.
fn walk(
    schema: &Schema,
    message: usize,
    mut bytes: &[u8],
    room: &mut usize,
    depth: usize,
) -> Option<()> {
    while bytes.has_remaining() {
        let Ok((number, wire)) = decode_key(&mut bytes) else {
            return Some(());
        };
        if wire != WireType::LengthDelimited {
            if skip_field(wire, number, &mut bytes, DecodeContext::default()).is_err() {
                return Some(());
            }
            continue;
        }
        let length = decode_varint(&mut bytes).ok().map(usize::try_from);
        let Some(Ok(length)) = length else {
            return Some(());
        };
        if length > bytes.len() {
            return Some(());
        }
        let (part, rest) = bytes.split_at(length);
        bytes = rest;
        let Some(of) = schema.messages[message].get(&number) else {
            continue;
        };
        let size = match of {
            None => TEXT_BYTES,
            Some(m) if schema.large.contains(m) => RECORD_BYTES,
            Some(_) => MESSAGE_BYTES,
        };
        *room = room.checked_sub(size)?;
        if let Some(m) = of
            && depth < MAX_DEPTH
        {
            walk(schema, *m, part, room, depth + 1)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1;

    /// The estimates are no less than what a part takes.
    #[test]
    fn parts_are_not_larger_than_they_are_taken_to_be() {
        assert!(size_of::<v1::Record>() <= RECORD_BYTES);
        assert!(size_of::<v1::MatchRequest>() <= RECORD_BYTES);
        assert!(size_of::<String>() <= TEXT_BYTES);
        for size in [
            size_of::<v1::Passage>(),
            size_of::<v1::Link>(),
            size_of::<v1::Availability>(),
            size_of::<v1::Contact>(),
            size_of::<v1::Outcome>(),
            size_of::<v1::ChainNode>(),
            size_of::<(String, String)>(),
        ] {
            assert!(size <= MESSAGE_BYTES, "{size}");
        }
        assert_eq!(schema().large.len(), 2);
    }

    #[test]
    fn small_bytes_that_unfold_are_refused() {
        let name = v1::BatchUpsertRecordsRequest::full_name();
        let records = |n: usize| [0x12, 0x00].repeat(n);
        assert!(!unfolds_too_far(&name, &records(1_000)));
        // 200 kB that would take 100 MB.
        assert!(unfolds_too_far(&name, &records(100_000)));
        // Questions are as large as the record they may hold.
        let batch = v1::MatchBatchRequest::full_name();
        assert!(unfolds_too_far(&batch, &records(100_000)));
        // Inside a record too.
        let passages = v1::Record {
            passages: vec![v1::Passage::default(); 400_000],
            ..Default::default()
        };
        let request = v1::UpsertRecordRequest {
            record: Some(passages),
            ..Default::default()
        };
        let name = v1::UpsertRecordRequest::full_name();
        assert!(unfolds_too_far(&name, &request.encode_to_vec()));
    }

    #[test]
    fn an_honest_batch_of_the_greatest_size_is_taken() {
        let record = v1::Record {
            title: "题".repeat(20),
            passages: vec![
                v1::Passage {
                    title: "文".repeat(10),
                    text: "文".repeat(60),
                };
                60
            ],
            keywords: vec!["词".repeat(3); 40],
            ..Default::default()
        };
        let request = v1::BatchUpsertRecordsRequest {
            records: vec![record; 1_000],
            ..Default::default()
        };
        let bytes = request.encode_to_vec();
        assert!(bytes.len() > 12 << 20, "{}", bytes.len());
        assert!(!unfolds_too_far(
            &v1::BatchUpsertRecordsRequest::full_name(),
            &bytes
        ));
    }
}
