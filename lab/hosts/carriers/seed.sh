# Sourced by what puts a host's own files onto its empty disk. Nothing of the disk's programs is run: they may be of
# another architecture than the machine's.

# seed_root ROOT: needs SEED (directory of the files), LOGIN_USER and PASSWORD_FILE (empty: sudo asks for none).
seed_root() {
  cp --recursive --preserve=mode "$SEED/." "$1/"
  if [ "$LOGIN_USER" != root ]; then
    add_login_user "$1"
  fi
}

add_login_user() {
  local root=$1 home=/home/$LOGIN_USER tag=NOPASSWD: ids
  useradd --prefix "$root" --create-home --shell /bin/bash "$LOGIN_USER"
  if [ -n "$PASSWORD_FILE" ]; then
    tag=
    # A method, so that the password is hashed here and PAM, which would be the disk's, is not asked.
    { printf '%s:' "$LOGIN_USER"; cat "$PASSWORD_FILE"; } | chpasswd --root "$root" --crypt-method SHA512
  fi
  printf '%s ALL=(ALL:ALL) %s ALL\n' "$LOGIN_USER" "$tag" > "$root/etc/sudoers.d/kubewright-lab"
  chmod 0440 "$root/etc/sudoers.d/kubewright-lab"
  mv "$root/root/.ssh" "$root$home/.ssh"
  ids=$(awk -F: -v user="$LOGIN_USER" '$1 == user { print $3 ":" $4 }' "$root/etc/passwd")
  chown --recursive "$ids" "$root$home/.ssh"
}
