//! The inner loop of embedding: weighted sums of rows.
//!
//! The loops are plain; on x86-64 they are compiled a second time for AVX2 and AVX-512 and picked at
//! run time. Every column is added in token order in each of them, and Rust never contracts a
//! multiplication and an addition into one, so all of them give the same bits.

/// Columns that stay in registers while the tokens go by.
const BLOCK: usize = 64;

/// `row += weight * cells` over the tokens, for any cell that `read` turns into an f32.
pub(super) fn add_rows<const N: usize>(
    data: &[u8],
    ids: &[u32],
    token: impl Fn(u32) -> (usize, f32),
    row: &mut [f32],
    read: impl Fn([u8; N]) -> f32,
) {
    let stride = row.len() * N;
    for &id in ids {
        let (index, weight) = token(id);
        let cells = data[index * stride..(index + 1) * stride]
            .as_chunks::<N>()
            .0;
        for (sum, &cell) in row.iter_mut().zip(cells) {
            *sum += weight * read(cell);
        }
    }
}

/// `row += weight * cells` over the tokens, for signed bytes.
pub(super) fn add_rows_i8(
    data: &[u8],
    ids: &[u32],
    token: impl Fn(u32) -> (usize, f32) + Copy,
    row: &mut [f32],
) {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512bw")
        {
            // SAFETY: the features the function is compiled for are there.
            return unsafe { add_rows_i8_avx512(data, ids, token, row) };
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: as above.
            return unsafe { add_rows_i8_avx2(data, ids, token, row) };
        }
    }
    add_rows_i8_body(data, ids, token, row);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
fn add_rows_i8_avx512(
    data: &[u8],
    ids: &[u32],
    token: impl Fn(u32) -> (usize, f32) + Copy,
    row: &mut [f32],
) {
    add_rows_i8_body(data, ids, token, row);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_rows_i8_avx2(
    data: &[u8],
    ids: &[u32],
    token: impl Fn(u32) -> (usize, f32) + Copy,
    row: &mut [f32],
) {
    add_rows_i8_body(data, ids, token, row);
}

#[inline(always)]
fn add_rows_i8_body(
    data: &[u8],
    ids: &[u32],
    token: impl Fn(u32) -> (usize, f32) + Copy,
    row: &mut [f32],
) {
    let stride = row.len();
    let (blocks, rest) = row.as_chunks_mut::<BLOCK>();
    let tail = blocks.len() * BLOCK;
    for (b, block) in blocks.iter_mut().enumerate() {
        let mut sums = *block;
        for &id in ids {
            let (index, weight) = token(id);
            let at = index * stride + b * BLOCK;
            if let Some(cells) = data[at..].first_chunk::<BLOCK>() {
                for (sum, &cell) in sums.iter_mut().zip(cells) {
                    *sum += weight * f32::from(cell as i8);
                }
            }
        }
        *block = sums;
    }
    for &id in ids {
        let (index, weight) = token(id);
        let at = index * stride + tail;
        for (sum, &cell) in rest.iter_mut().zip(&data[at..]) {
            *sum += weight * f32::from(cell as i8);
        }
    }
}
