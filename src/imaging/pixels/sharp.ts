// The one place where the image library is set up. Only child processes (and tests) import this
// file and what stands on it: a photo that crashes or bloats the library then costs a child and not
// the service.

import sharp from "sharp";

// Unblocking alone is no allow-list: everything is blocked first, SVG and PDF and what a later
// release may bring.
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({
  operation: ["Jpeg", "Png", "Webp", "Heif", "Nsgif", "Tiff"].map(
    (format) => `VipsForeignLoad${format}`,
  ),
});

// One core a child, and no memory of earlier photos: there are as many children as cores.
sharp.concurrency(1);
sharp.cache(false);

export { sharp };
