import type { Accelerator, GuestImage, GuestSpec, LabRecord } from '../../types.js';

/** `DISTRIBUTION:ARCHITECTURE`, as the command line writes it and the lab's record names the image. */
export function guestWord({ distribution, architecture }: GuestSpec): string {
  return `${distribution}:${architecture}`;
}

/** What a guest of this lab starts from. Whoever planned the guest has prepared its image. */
export function imageOf(lab: Pick<LabRecord, 'guests'>, guest: GuestSpec): GuestImage {
  const image = lab.guests?.[guestWord(guest)];
  if (!image) throw new Error(`no image for ${guestWord(guest)} in the lab's record`);
  return image;
}

export function acceleratorOf(lab: Pick<LabRecord, 'guests'>, guest: GuestSpec): Accelerator {
  return imageOf(lab, guest).accelerator;
}
