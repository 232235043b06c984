import { type Command, command } from "../command.ts";

/** What each shell runs to complete a command line: it asks the program itself. */
const scripts = {
  bash: `_event_sourcery() {
  local line="\${COMP_LINE:0:COMP_POINT}" words
  read -ra words <<< "$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  local current="\${words[-1]}" IFS=$'\\n'
  COMPREPLY=($("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null))
  # A colon ends a word of bash: what stands before it is there already.
  if [[ "$current" == *:* && "$COMP_WORDBREAKS" == *:* ]]; then
    COMPREPLY=("\${COMPREPLY[@]#"\${current%:*}:"}")
  fi
}
complete -o default -F _event_sourcery event-sourcery`,
  zsh: `#compdef event-sourcery
_event_sourcery() {
  local -a found
  found=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- "\${(@)found:#}"
}
compdef _event_sourcery event-sourcery`,
  fish: `function __event_sourcery
  set -l words (commandline -opc) (commandline -ct)
  $words[1] __complete $words[2..-1] 2>/dev/null
end
complete -c event-sourcery -f -a '(__event_sourcery)'`,
} as const;

/** Writes what a shell needs to complete command lines. */
export const completion: Command = command({
  summary: "write a script that completes command lines in your shell",
  details:
    "bash: event-sourcery completion bash > ~/.local/share/bash-completion/completions/event-sourcery\nzsh: source <(event-sourcery completion zsh)\nfish: event-sourcery completion fish > ~/.config/fish/completions/event-sourcery.fish",
  args: {
    shell: { kind: "one", summary: "bash, zsh or fish", choices: ["bash", "zsh", "fish"] },
  },
  async run({ args: { shell }, out }) {
    await out.line(scripts[shell as keyof typeof scripts]);
  },
});
