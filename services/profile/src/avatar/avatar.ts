import sharp from 'sharp';

const edgePx = 512;
const pixelsMax = 24_000_000; // A file of 2 MB can unpack to gigabytes: refused before it is unpacked.
const qualityPercent = 82;
const allowedFormats = new Set(['png', 'jpeg', 'webp', 'gif']);

/**
 * The picture as WebP of at most 512 × 512 without metadata, or undefined when the bytes are no picture of an allowed
 * type. What a file says of itself doesn't count: it is decoded and written anew (ASVS 14.2.8, older fault 49).
 */
export async function reencodeAvatar(content: Uint8Array): Promise<Buffer | undefined> {
  try {
    const image = sharp(content, { limitInputPixels: pixelsMax, failOn: 'error', animated: false });
    const { format } = await image.metadata();
    if (format === undefined || !allowedFormats.has(format)) return undefined;
    return await image
      .rotate() // By the EXIF orientation, which is dropped with the rest of the metadata.
      .resize(edgePx, edgePx, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: qualityPercent })
      .toBuffer();
  } catch {
    return undefined; // Not a picture, or a broken one.
  }
}
