/**
 * The header that shows a file in the browser and saves it under this name (RFC 6266, RFC 8187).
 */
export function contentDisposition(filename: string): string {
  if (/^[\w.-]+$/.test(filename)) return `inline; filename="${filename}"`;
  return (
    "inline; " +
    `filename*=UTF-8''${encodeURIComponent(filename).replaceAll(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)}`
  );
}
