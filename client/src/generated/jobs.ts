// Generated from the schemas of the tasks. Renew: npm run build:client

export interface ArchiveParameters {
  /**
   * Include the photos as they were uploaded, with their metadata. Must be true, because an
   * archive has no other files yet.
   */
  includeOriginals?: boolean;
}

export interface ArchiveResult {
  /** Number of files in the archive. */
  files: number;
  /** Size of the archive in bytes. */
  byteSize: number;
}

export interface ContactSheetParameters {
  /**
   * Number of photos per row, at most the number of photos. Default: the square root of the
   * number of photos, rounded up.
   */
  columns?: number;
  /** Width and height of the cell of each photo, in pixels. */
  cellWidth?: number;
  /**
   * Leave out photos that cannot be read, and name them in the warnings. Otherwise one such
   * photo fails the whole sheet.
   */
  skipUnreadable?: boolean;
}

export interface ContactSheetResult {
  /** Number of photos per row. */
  columns: number;
  /** Number of rows. */
  rows: number;
  /** Width of the sheet, in pixels. */
  width: number;
  /** Height of the sheet, in pixels. */
  height: number;
  /** Warnings about how the photos were read, each with the position of the photo, from 1. */
  warnings?: string[];
}

export interface ConvertParameters {
  /** Format of the output. In JPEG, transparent parts become white. */
  format: "jpeg" | "webp" | "avif" | "png";
  /**
   * Quality from 1 (smallest file) to 100 (best picture). Default: 80 for JPEG and WebP, 50
   * for AVIF. PNG and lossless outputs ignore it.
   */
  quality?: number;
  /**
   * Keep every pixel exactly, which makes the file several times larger. For WebP and AVIF:
   * PNG is always lossless, JPEG never.
   */
  lossless?: boolean;
  /**
   * Keep camera, lens, exposure, times, place, description, artist and copyright. Data in
   * camera makers' own formats and embedded thumbnails are always removed.
   */
  keepMetadata?: boolean;
}

export interface ConvertResult {
  /** Format of the output. */
  format: "jpeg" | "webp" | "avif" | "png";
  /** Width of the upright picture, in pixels. */
  width: number;
  /** Height of the upright picture, in pixels. */
  height: number;
  /** Size of the file in bytes. */
  byteSize: number;
  /** Bytes of the output divided by bytes of the photo; below 1 the output is smaller. */
  ratio: number;
  /** Warnings about how the photo was read, e.g. that only an animation's first frame was used. */
  warnings?: string[];
}

export interface CropParameters {
  /** Ratios of width to height, e.g. 1:1, 16:9 or 1.91:1. Each gives one crop, in this order. */
  ratios?: string[];
  /**
   * Part of the photo to keep. `attention`: the most striking part (strong colours, skin,
   * contrast); `entropy`: the part with most detail; `center`: the middle.
   */
  strategy?: "attention" | "entropy" | "center";
  /**
   * Maximum width of the outputs in pixels; larger crops are scaled down. Default: crops are
   * not scaled.
   */
  width?: number;
}

export interface CropResult {
  /** The largest box of each ratio, in the requested order, with one output each. */
  crops: {
    /** The requested ratio. */
    ratio: string;
    /** Left edge of the box, in pixels of the upright photo. */
    left: number;
    /** Top edge of the box, in pixels of the upright photo. */
    top: number;
    /** Width of the box; the output may be scaled down. */
    width: number;
    /** Height of the box; the output may be scaled down. */
    height: number;
  }[];
  /** Warnings about how the photo was read, e.g. that only an animation's first frame was used. */
  warnings?: string[];
}

export type EchoParameters0 =
  | string
  | number
  | boolean
  | null
  | EchoParameters0[]
  | {
      [key: string]: EchoParameters0;
    };

export interface EchoParameters {
  /** Any JSON value; it is returned unchanged. */
  message?: EchoParameters0;
  /** Duration of the job in milliseconds. */
  durationMs?: number;
  /** Number of progress steps, evenly spread over the duration. */
  steps?: number;
  /** Number of attempts that fail before one succeeds. */
  failAttempts?: number;
  /** Fail at the first attempt, without a retry. */
  failPermanently?: boolean;
}

export type EchoResult0 =
  | string
  | number
  | boolean
  | null
  | EchoResult0[]
  | {
      [key: string]: EchoResult0;
    };

export interface EchoResult {
  /** The message from the parameters; null when it was absent. */
  message: EchoResult0;
  /** Number of the attempt that succeeded. */
  attempt: number;
}

export interface HashParameters {
  /**
   * Maximum number of the 64 bits in which a duplicate may differ. 6 finds resized and
   * recompressed copies, 10 also slightly cropped ones; 16 also finds other photos.
   */
  maxDistance?: number;
}

export interface HashResult {
  /** SHA-256 of the file, in hex. */
  sha256: string;
  /**
   * Perceptual hash of 64 bits, in hex: similar pictures have similar hashes. Null for a
   * picture of nearly one colour.
   */
  phash: string | null;
  /**
   * Your other photos that look similar, nearest first, at most 100. Rotated or mirrored
   * copies are not found.
   */
  duplicates: {
    /** Id of another photo of yours. */
    photoId: string;
    /** Number of bits in which the two hashes differ; 0 means that they are equal. */
    distance: number;
  }[];
  /** Warnings about how the photo was read, e.g. that only an animation's first frame was used. */
  warnings?: string[];
}

export interface MetadataParameters {
  /**
   * Leave out the position of the photo: `gps` is null, and tags with a position are removed.
   * Names of cities and countries are kept.
   */
  redactGps?: boolean;
}

export interface MetadataResult {
  /** Maker and model of the camera. */
  camera: {
    /** Maker, or null. */
    make: string | null;
    /** Model, or null. */
    model: string | null;
  };
  /** Name of the lens if a standard tag contains it, else null. */
  lens: string | null;
  /** Exposure settings. */
  exposure: {
    /** Exposure time in seconds, or null. */
    seconds: number | null;
    /** Aperture as f-number, or null. */
    fNumber: number | null;
    /** Sensitivity, or null. */
    iso: number | null;
    /** Real focal length of the lens in millimetres, or null. */
    focalLength: number | null;
  };
  /**
   * Time of the camera's clock, e.g. 2021-04-11T15:47:53, followed by the offset if the file
   * contains one; or null.
   */
  takenAt: string | null;
  /** Position where the photo was taken, or null. */
  gps: {
    /** Degrees; north is positive. */
    latitude: number;
    /** Degrees; east is positive. */
    longitude: number;
    /** Metres above sea level, or null. */
    altitude: number | null;
  } | null;
  /** EXIF orientation of the stored pixels, 1 to 8; 1 is upright. */
  orientation: number;
  /** Name of the embedded colour profile, or null. */
  colorProfile: string | null;
  /** Width of the upright photo, in pixels. */
  width: number;
  /** Height of the upright photo, in pixels. */
  height: number;
  /**
   * All standard tags by name, with their group if it is not EXIF (XMP:Rating). At most 200
   * tags; texts are cut to 500 characters.
   */
  tags: {
    [key: string]: string | number;
  };
}

export interface PaletteParameters {
  /** Maximum number of colours; a photo with fewer colours gives fewer. */
  colors?: number;
}

export interface PaletteResult {
  /** Colour with the largest share of the picture, as #rrggbb. */
  dominant: string;
  /** Colours and their shares, the largest share first. */
  swatches: {
    /** Colour as #rrggbb. */
    hex: string;
    /** Share of the picture; the sum of all is 1. */
    population: number;
  }[];
  /** Warnings about how the photo was read, e.g. that only an animation's first frame was used. */
  warnings?: string[];
}

export type PlaceholderParameters = Record<string, never>;

export interface PlaceholderResult {
  /** Thumbhash in base64: a blurred picture with its aspect ratio and transparency. */
  thumbhash: string;
  /** Blurhash with 4 × 3 components; transparent parts are white. */
  blurhash: string;
  /** A WebP of at most 16 pixels per side as a data URI, for a page to show blurred. */
  lqip: string;
  /** Mean colour as #rrggbb, weighted by opacity. */
  averageColor: string;
  /** Width divided by height of the upright photo. */
  aspectRatio: number;
  /** Warnings about how the photo was read, e.g. that only an animation's first frame was used. */
  warnings?: string[];
}

export type PrepareParameters = Record<string, never>;

export interface PrepareResult {
  /**
   * Result of the Job thumbnail; the files are outputs. The format is WebP; for heights above
   * 16,383 pixels JPEG, or PNG if the photo is transparent.
   */
  thumbnail: {
    /** Variants in the requested order, with one output each. */
    variants: {
      /** Name of the output: the requested width and the extension of the format, e.g. 320w.webp. */
      name: string;
      /** Width in pixels; less than requested if the photo is smaller. */
      width: number;
      /** Height in pixels. */
      height: number;
      /** The requested format. */
      format: "jpeg" | "webp" | "avif" | "png";
      /** Size of the file in bytes. */
      byteSize: number;
    }[];
    /** Warnings about how the photo was read, e.g. that only an animation's first frame was used. */
    warnings?: string[];
  };
  /** Result of the Job metadata. */
  metadata: {
    /** Maker and model of the camera. */
    camera: {
      /** Maker, or null. */
      make: string | null;
      /** Model, or null. */
      model: string | null;
    };
    /** Name of the lens if a standard tag contains it, else null. */
    lens: string | null;
    /** Exposure settings. */
    exposure: {
      /** Exposure time in seconds, or null. */
      seconds: number | null;
      /** Aperture as f-number, or null. */
      fNumber: number | null;
      /** Sensitivity, or null. */
      iso: number | null;
      /** Real focal length of the lens in millimetres, or null. */
      focalLength: number | null;
    };
    /**
     * Time of the camera's clock, e.g. 2021-04-11T15:47:53, followed by the offset if the file
     * contains one; or null.
     */
    takenAt: string | null;
    /** Position where the photo was taken, or null. */
    gps: {
      /** Degrees; north is positive. */
      latitude: number;
      /** Degrees; east is positive. */
      longitude: number;
      /** Metres above sea level, or null. */
      altitude: number | null;
    } | null;
    /** EXIF orientation of the stored pixels, 1 to 8; 1 is upright. */
    orientation: number;
    /** Name of the embedded colour profile, or null. */
    colorProfile: string | null;
    /** Width of the upright photo, in pixels. */
    width: number;
    /** Height of the upright photo, in pixels. */
    height: number;
    /**
     * All standard tags by name, with their group if it is not EXIF (XMP:Rating). At most 200
     * tags; texts are cut to 500 characters.
     */
    tags: {
      [key: string]: string | number;
    };
  };
  /** Result of the Job placeholder. */
  placeholder: {
    /** Thumbhash in base64: a blurred picture with its aspect ratio and transparency. */
    thumbhash: string;
    /** Blurhash with 4 × 3 components; transparent parts are white. */
    blurhash: string;
    /** A WebP of at most 16 pixels per side as a data URI, for a page to show blurred. */
    lqip: string;
    /** Mean colour as #rrggbb, weighted by opacity. */
    averageColor: string;
    /** Width divided by height of the upright photo. */
    aspectRatio: number;
    /** Warnings about how the photo was read, e.g. that only an animation's first frame was used. */
    warnings?: string[];
  };
  /** Result of the Job palette. */
  palette: {
    /** Colour with the largest share of the picture, as #rrggbb. */
    dominant: string;
    /** Colours and their shares, the largest share first. */
    swatches: {
      /** Colour as #rrggbb. */
      hex: string;
      /** Share of the picture; the sum of all is 1. */
      population: number;
    }[];
    /** Warnings about how the photo was read, e.g. that only an animation's first frame was used. */
    warnings?: string[];
  };
  /** Result of the Job hash. */
  hash: {
    /** SHA-256 of the file, in hex. */
    sha256: string;
    /**
     * Perceptual hash of 64 bits, in hex: similar pictures have similar hashes. Null for a
     * picture of nearly one colour.
     */
    phash: string | null;
    /**
     * Your other photos that look similar, nearest first, at most 100. Rotated or mirrored
     * copies are not found.
     */
    duplicates: {
      /** Id of another photo of yours. */
      photoId: string;
      /** Number of bits in which the two hashes differ; 0 means that they are equal. */
      distance: number;
    }[];
    /** Warnings about how the photo was read, e.g. that only an animation's first frame was used. */
    warnings?: string[];
  };
  /** Warnings about how the photo was read, e.g. that only an animation's first frame was used. */
  warnings?: string[];
}

export interface ScrubParameters {
  /**
   * Keep the colour profile. If it is removed, the colours are converted to sRGB, so that they
   * look the same.
   */
  keepIcc?: boolean;
  /** Keep the copyright and the artist's name, from EXIF, else IPTC, else XMP. */
  keepCopyright?: boolean;
}

export interface ScrubResult {
  /** Removed tags as group and name, e.g. EXIF:Make, XMP:creator, Thumbnail; at most 500. */
  removed: string[];
  /** The output was checked: it contains none of the removed tags. */
  verifiedClean: true;
  /** True if the pixels were not encoded again: for most upright JPEG, PNG and WebP photos. */
  lossless: boolean;
  /** The photo's format if it can be written; else JPEG, or PNG for a transparent photo. */
  format: "jpeg" | "webp" | "avif" | "png";
  /** Warnings about how the photo was read, e.g. that only an animation's first frame was used. */
  warnings?: string[];
}

export interface ThumbnailParameters {
  /** Widths in pixels. Each gives one variant, in this order. A photo is never enlarged. */
  widths?: number[];
  /** Format of all variants. In JPEG, transparent parts become white. */
  format?: "jpeg" | "webp" | "avif" | "png";
  /**
   * Quality from 1 (smallest file) to 100 (best picture). Default: 80 for JPEG and WebP, 50
   * for AVIF. PNG is lossless and ignores it.
   */
  quality?: number;
}

export interface ThumbnailResult {
  /** Variants in the requested order, with one output each. */
  variants: {
    /** Name of the output: the requested width and the extension of the format, e.g. 320w.webp. */
    name: string;
    /** Width in pixels; less than requested if the photo is smaller. */
    width: number;
    /** Height in pixels. */
    height: number;
    /** The requested format. */
    format: "jpeg" | "webp" | "avif" | "png";
    /** Size of the file in bytes. */
    byteSize: number;
  }[];
  /** Warnings about how the photo was read, e.g. that only an animation's first frame was used. */
  warnings?: string[];
}

export interface WatermarkParameters {
  /**
   * One line of text. Latin, Greek, Cyrillic and Arabic are always supported; other scripts
   * appear as boxes unless the system has fonts for them.
   */
  text: string;
  /** Position of the text on the picture. */
  gravity?:
    | "northwest"
    | "north"
    | "northeast"
    | "west"
    | "center"
    | "east"
    | "southwest"
    | "south"
    | "southeast";
  /** Opacity from 0.01 (hardly visible) to 1 (covers the picture below). */
  opacity?: number;
  /** Width of the text as a share of the picture's width; the same share limits its height. */
  scale?: number;
}

export interface WatermarkResult {
  /** Width of the upright picture, in pixels. */
  width: number;
  /** Height of the upright picture, in pixels. */
  height: number;
  /** The photo's format if it can be written, else JPEG. */
  format: "jpeg" | "webp" | "avif" | "png";
  /** Warnings about how the photo was read, e.g. that only an animation's first frame was used. */
  warnings?: string[];
}

/** Parameters and result of each Job, by its name. */
export interface Jobs {
  /**
   * Puts up to 500 photos, together at most 2 GiB, into one ZIP file: as they were uploaded,
   * in the given order. Photos of the same name are numbered.
   */
  archive: { parameters: ArchiveParameters; result: ArchiveResult };
  /**
   * Arranges up to 100 photos on one white sheet, in the given order, each uncropped and
   * upright in a square cell. The output is a JPEG.
   */
  "contact-sheet": { parameters: ContactSheetParameters; result: ContactSheetResult };
  /** Converts the photo to another format, at full size, upright and in sRGB. */
  convert: { parameters: ConvertParameters; result: ConvertResult };
  /**
   * Crops the photo to one or more aspect ratios, each as large as possible, around its most
   * important part. Outputs have the photo's format if tasks can write it, else JPEG.
   */
  crop: { parameters: CropParameters; result: CropResult };
  /**
   * Returns its message after the requested duration and number of failures. For checks, demos
   * and benchmarks.
   */
  echo: { parameters: EchoParameters; result: EchoResult };
  /**
   * Computes fingerprints of the file and of the picture, and finds your other photos that
   * look the same, including resized and recompressed copies. Rotated or mirrored copies are
   * not found.
   */
  hash: { parameters: HashParameters; result: HashResult };
  /**
   * Reads camera, lens, exposure, time, place and colour profile from the photo's file, in one
   * flat structure.
   */
  metadata: { parameters: MetadataParameters; result: MetadataResult };
  /**
   * Finds the main colours of the photo, grouped by human colour perception, and the share of
   * the picture that each covers. The same photo always gives the same result.
   */
  palette: { parameters: PaletteParameters; result: PaletteResult };
  /**
   * Computes placeholders for a page while the photo loads: thumbhash, blurhash, a tiny inline
   * picture, the average colour and the aspect ratio.
   */
  placeholder: { parameters: PlaceholderParameters; result: PlaceholderResult };
  /**
   * Computes everything that an app usually needs after an upload in one job: thumbnails,
   * metadata, a placeholder, the palette and the photo's duplicates.
   */
  prepare: { parameters: PrepareParameters; result: PrepareResult };
  /**
   * Removes data about people, places and devices from the photo's file: position, serial
   * numbers, owners, embedded thumbnails and makers' notes. The picture stays the same.
   */
  scrub: { parameters: ScrubParameters; result: ScrubResult };
  /**
   * Makes one or more smaller copies of the photo, upright, in sRGB and without metadata. The
   * photo is decoded only once.
   */
  thumbnail: { parameters: ThumbnailParameters; result: ThumbnailResult };
  /**
   * Draws a line of text on the photo, white with a dark shadow, so that it is readable on
   * light and dark pictures.
   */
  watermark: { parameters: WatermarkParameters; result: WatermarkResult };
}

export type JobName = keyof Jobs;
