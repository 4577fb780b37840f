// The fields of results that the page shows. The catalogue's `resultSchema` has all of them.

export interface ArchiveResult {
  files: number;
  byteSize: number;
}

export interface Variant {
  name: string;
  width: number;
  height: number;
  format: string;
  byteSize: number;
}

export interface ThumbnailResult {
  variants: Variant[];
}

export interface MetadataResult {
  camera: { make: string | null; model: string | null };
  lens: string | null;
  exposure: {
    seconds: number | null;
    fNumber: number | null;
    iso: number | null;
    focalLength: number | null;
  };
  takenAt: string | null;
  gps: { latitude: number; longitude: number; altitude: number | null } | null;
  orientation: number;
  colorProfile: string | null;
  width: number;
  height: number;
  tags: Record<string, string | number>;
}

export interface PlaceholderResult {
  thumbhash: string;
  blurhash: string;
  lqip: string;
  averageColor: string;
  aspectRatio: number;
}

export interface PaletteResult {
  dominant: string;
  swatches: { hex: string; population: number }[];
}

export interface HashResult {
  sha256: string;
  phash: string | null;
  duplicates: { photoId: string; distance: number }[];
}

export interface CropResult {
  crops: { ratio: string; left: number; top: number; width: number; height: number }[];
}

export interface ScrubResult {
  removed: string[];
  lossless: boolean;
  format: string;
}

export interface ConvertResult {
  format: string;
  width: number;
  height: number;
  byteSize: number;
  ratio: number;
}

export interface ContactSheetResult {
  columns: number;
  rows: number;
  width: number;
  height: number;
}

export interface PrepareResult {
  thumbnail: ThumbnailResult;
  metadata: MetadataResult;
  placeholder: PlaceholderResult;
  palette: PaletteResult;
  hash: HashResult;
}
