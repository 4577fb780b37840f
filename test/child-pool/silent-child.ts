// A child that never becomes ready.

setInterval(() => {}, 60_000);
