#!/bin/sh
# Answers every text with the same text. The options are those of `msnp pipe`:
#   MSNP_PASSWORD=... ./echo.sh --server im.example.net --account bot@example.net
#
# Quotes within a JSON string are escaped, so `"name":` is never part of what somebody wrote, and a
# string that is taken out with its escapes can be put into a command as it is.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkfifo "$folder/commands" "$folder/events"
"${MSNP:-msnp}" pipe "$@" <"$folder/commands" >"$folder/events" &
exec 3>"$folder/commands" 4<"$folder/events"

# The value of a string or of a number in $event.
string() { printf '%s\n' "$event" | sed -nE 's/.*"'"$1"'":"(([^"\\]|\\.)*)".*/\1/p'; }
number() { printf '%s\n' "$event" | sed -nE 's/.*"'"$1"'":([0-9]+).*/\1/p'; }

while IFS= read -r event <&4; do
    case $event in
    *'"type":"message"'*'"text":"'*)
        printf '{"do":"send","chat":%s,"text":"%s"}\n' "$(number chat)" "$(string text)" >&3
        ;;
    *'"type":"failed"'* | *'"type":"refused"'*)
        printf '%s\n' "$event" >&2
        ;;
    esac
done
wait $!
