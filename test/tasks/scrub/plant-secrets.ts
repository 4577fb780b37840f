import { crc32, deflateSync } from "node:zlib";
import type { sharp } from "../../../src/imaging/pixels/pixels.js";

type Pipeline = ReturnType<typeof sharp>;

/** Part of all planted texts, which must not be in a scrubbed photo. */
export const SECRET = /sEcReT/;

export const RIGHTS = { Copyright: "(c) Ann 2026", Artist: "Ann Example" };

const XMP = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="51,30.5S"
 xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" aux:SerialNumber="sEcReT-xmp-serial"><dc:creator
 xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Seq><rdf:li>Xmp Creator</rdf:li></rdf:Seq
 ></dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>`;

/** Adds EXIF and XMP, as the image library writes them into JPEG, PNG and WebP. */
export function withSecrets(picture: Pipeline, rights: Partial<typeof RIGHTS> = {}): Pipeline {
  return picture
    .withExif({
      IFD0: { ...rights, Make: "sEcReT-make", Software: "sEcReT-software" },
      IFD2: {
        BodySerialNumber: "sEcReT-serial",
        CameraOwnerName: "sEcReT-owner",
        DateTimeOriginal: "2021:04:11 15:47:53",
        UserComment: "sEcReT-comment",
      },
      IFD3: {
        GPSLatitudeRef: "S",
        GPSLatitude: "33/1 30/1 0/1",
        GPSLongitudeRef: "E",
        GPSLongitude: "151/1 15/1 0/1",
      },
    })
    .withXmp(XMP);
}

/**
 * Adds more data that a JPEG may contain: a JFIF thumbnail, IPTC, other makers' segments, a
 * comment, and a video after its end.
 */
export function plantInJpeg(file: Buffer): Buffer {
  const jfif = segment(
    0xe0,
    Buffer.from("JFIF\0\x01\x02\x00\0\x01\0\x01\x01\x07sEcReT-thumbnail-pixel", "latin1"),
  );
  const ownJfif = file.readUInt16BE(2) === 0xffe0 ? 2 + file.readUInt16BE(4) : 0;
  const additions = [
    jfif,
    segment(0xe0, Buffer.from("JFXX\0\x10sEcReT-jfxx")),
    segment(0xe2, Buffer.from("MPF\0sEcReT-mpf")),
    segment(0xec, Buffer.from("Ducky\0sEcReT")),
    segment(0xed, iptc({ 80: "sEcReT by-line", 90: "sEcReT-city" })),
    segment(0xfe, Buffer.from("sEcReT comment")),
  ];
  return Buffer.concat([
    file.subarray(0, 2),
    ...additions,
    file.subarray(2 + ownJfif),
    Buffer.from("MotionPhoto_Data sEcReT-film"),
  ]);
}

/** IPTC records (IIM 4.2, 2:xx) as Photoshop writes them into a JPEG's APP13. */
export function iptc(records: Record<number, string>): Buffer {
  const data = Buffer.concat(
    Object.entries(records).map(([number, text]) =>
      Buffer.concat([
        Buffer.from([0x1c, 2, Number(number), 0, Buffer.byteLength(text)]),
        Buffer.from(text),
      ]),
    ),
  );
  const size = Buffer.alloc(4);
  size.writeUInt32BE(data.length);
  return Buffer.concat([
    Buffer.from("Photoshop 3.0\x008BIM\x04\x04\0\0", "latin1"),
    size,
    data,
    Buffer.alloc(data.length % 2),
  ]);
}

/** Marker, length and data of a JPEG segment. */
export function segment(marker: number, data: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

/** Adds plain and compressed texts, a time, a private chunk, and data after the end. */
export function plantInPng(file: Buffer): Buffer {
  const afterHeader = 8 + 25;
  const chunks = [
    chunk("tEXt", Buffer.from("Author\0sEcReT-author")),
    chunk("zTXt", Buffer.concat([Buffer.from("Comment\0\0"), deflateSync("sEcReT-compressed")])),
    chunk("tIME", Buffer.from([7, 0xe5, 4, 11, 15, 47, 53])),
    chunk("prVt", Buffer.from("sEcReT-private")),
  ];
  return Buffer.concat([
    file.subarray(0, afterHeader),
    ...chunks,
    file.subarray(afterHeader),
    Buffer.from("sEcReT tail"),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** Adds an unknown chunk of odd length, and data after the end. */
export function plantInWebp(file: Buffer): Buffer {
  const text = Buffer.from("sEcReT-unknown");
  const unknown = Buffer.concat([Buffer.from("uNKn\x0f\0\0\0"), text, Buffer.from("!\0")]);
  const longer = Buffer.concat([file, unknown]);
  longer.writeUInt32LE(longer.length - 8, 4);
  return Buffer.concat([longer, Buffer.from("sEcReT tail")]);
}
