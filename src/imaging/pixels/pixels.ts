/**
 * A decoded picture: upright, sRGB, 8 bits a channel, row by row; four channels when it has
 * transparency, not premultiplied.
 */
export interface Pixels {
  data: Buffer;
  width: number;
  height: number;
  channels: 3 | 4;
}
