/** Where the storage keeps an output: under a key of the attempt, so that one that was thought dead cannot overwrite the winner's. */
export function outputKey({ id, userId, attempt }: { id: string; userId: string; attempt: number }, name: string): string {
  return `outputs/${userId}/${id}/${attempt}/${name}`;
}
