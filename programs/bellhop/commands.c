/* SPDX-License-Identifier: MIT */
/* The commands: what each takes, and in one line what it does. */
#include "programs/bellhop/bellhop.h"

#define EDIT_OPTIONS                                                                               \
	(OPTION_VENDOR | OPTION_MODEL | OPTION_PROFILE | OPTION_LABEL | OPTION_ADDRESS |           \
	 OPTION_INTERFACE | OPTION_FORM | OPTION_SET | OPTION_UNSET)

static const char edit_more[] =
	"An empty value (--address \"\") takes a field away. Names of settings:\n"
	"`bellhop help settings`.\n"
	"Several MACs may be named, or - for a list on the standard input, one a line.";

static const char many_more[] =
	"Several MACs may be named, or - for a list on the standard input, one a line.";

static const char order_more[] =
	"For MACs, or - for a list on the standard input, or those of a profile and of the\n"
	"profiles that inherit from it, or --all; claimed ones only. They are told one after\n"
	"the other, at the pace of [resync] in bellhop.conf. What it came to is shown by\n"
	"`bellhop device show` and told as an event.";

static const char backup_more[] =
	"Devices, profiles, settings, events and the audit log are in it, secrets and all;\n"
	"files that phones fetch by name (`bellhop file`) are not: copy DATA/files as well.";

static const char pack_more[] =
	"In brackets: what a statement rests on, which is a capture, a firmware, a manual,\n"
	"code of others, or inference.";

static const char check_more[] =
	"FOLDER is the one that holds pack.json. A pack that is good goes to DATA/vendors/,\n"
	"and the server reads it at SIGHUP.";

const struct command commands[] = {
	{NULL, "status", NULL, 0, 0, 0, run_status,
	 "what runs, since when, how many phones in which state", NULL},
	{"device", "list", NULL, 0, 0,
	 OPTION_STATE | OPTION_VENDOR | OPTION_MODEL | OPTION_PROFILE | OPTION_SEARCH |
		 OPTION_SECRETS | OPTION_EFFECTIVE,
	 run_device_list, "devices, in the order of their MACs", NULL},
	{"device", "show", "MAC", 1, 1, OPTION_SECRETS | OPTION_EFFECTIVE, run_device_show,
	 "all that is known of one device", NULL},
	{"device", "add", "MAC...", 1, words_many, EDIT_OPTIONS, run_device_add,
	 "add a device that nobody claims yet", edit_more},
	{"device", "set", "MAC...", 1, words_many, EDIT_OPTIONS, run_device_set, "edit a device",
	 edit_more},
	{"device", "claim", "MAC...", 1, words_many, EDIT_OPTIONS | OPTION_POOL | OPTION_EXTENSION,
	 run_device_claim, "let a device be served; adds it if need be", edit_more},
	{"device", "import", "FILE", 1, 1, OPTION_DRY_RUN | OPTION_PARTIAL, run_device_import,
	 "claim the devices of a CSV file (-: stdin), all or none",
	 "The first line names the columns: mac, and of vendor, model, profile, label, address,\n"
	 "interface, extension, pool and settings (sip_lines.1.password) those that there are.\n"
	 "An empty field is nothing said. Commas or semicolons stand between fields."},
	{"device", "history", "MAC", 1, 1, 0, run_device_history,
	 "the road of a device: each change of its state, and why",
	 "It goes back as far as events are kept: [limits] events in bellhop.conf."},
	{"device", "block", "MAC...", 1, words_many, 0, run_device_block,
	 "serve a device nothing any more", many_more},
	{"device", "unblock", "MAC...", 1, words_many, 0, run_device_unblock, "undo a block",
	 many_more},
	{"device", "remove", "MAC...", 1, words_many, 0, run_device_remove,
	 "forget a device and its settings", many_more},
	{"device", "resync", "MAC...", 0, words_many,
	 OPTION_PROFILE | OPTION_ALL | OPTION_DRY_RUN | OPTION_WAIT, run_device_resync,
	 "tell phones to fetch their files again", order_more},
	{"device", "reboot", "MAC...", 0, words_many,
	 OPTION_PROFILE | OPTION_ALL | OPTION_DRY_RUN | OPTION_WAIT, run_device_reboot,
	 "tell phones to restart", order_more},
	{"device", "files", "MAC", 1, 1, 0, run_device_files, "the files that a device may ask for",
	 NULL},
	{"device", "preview", "MAC [FILE]", 1, 2, 0, run_device_preview,
	 "print a file as the device gets it, secrets and all", NULL},
	{"device", "unidentified", NULL, 0, 0, 0, run_device_unidentified,
	 "senders that ask and are no device, the latest first",
	 "One that names a MAC which is not its own is `spoofed?`. A phone behind a router is "
	 "served\n"
	 "once it is bound to its address: `bellhop device claim MAC --address ADDRESS`."},
	{"profile", "list", NULL, 0, 0, 0, run_profile_list, "all profiles", NULL},
	{"profile", "show", "NAME", 1, 1, OPTION_SECRETS | OPTION_EFFECTIVE, run_profile_show,
	 "one profile and its settings", NULL},
	{"profile", "set", "NAME", 1, 1, OPTION_PARENT | OPTION_SET | OPTION_UNSET, run_profile_set,
	 "make or edit a profile", "Names of settings: `bellhop help settings`."},
	{"profile", "remove", "NAME", 1, 1, 0, run_profile_remove,
	 "remove a profile that nothing uses", NULL},
	{"rule", "list", NULL, 0, 0, 0, run_rule_list,
	 "rules that claim phones by themselves, as they are tried", NULL},
	{"rule", "show", "NAME", 1, 1, OPTION_SECRETS, run_rule_show, "one rule", NULL},
	{"rule", "set", "NAME", 1, 1,
	 OPTION_MAC | OPTION_VENDOR | OPTION_MODEL | OPTION_INTERFACE | OPTION_CERTAINTY |
		 OPTION_PRIORITY | OPTION_ENABLED | OPTION_PROFILE | OPTION_LABEL | OPTION_POOL |
		 OPTION_SET | OPTION_UNSET,
	 run_rule_set, "make or edit a rule: what is not named stays",
	 "The first rule that fits claims a phone when it shows itself. An empty value (--mac "
	 "\"\")\n"
	 "takes a condition away. --model takes * and ?; --label takes %{extension}, %{mac},\n"
	 "%{model} and %{vendor}. Without --certainty a phone's own word alone claims nothing."},
	{"rule", "remove", "NAME", 1, 1, 0, run_rule_remove,
	 "remove a rule; what it has claimed stays claimed", NULL},
	{"rule", "test", "MAC", 1, 1,
	 OPTION_VENDOR | OPTION_MODEL | OPTION_INTERFACE | OPTION_CERTAINTY, run_rule_test,
	 "which rule would claim a phone, and why the others would not",
	 "What is not named is as it is known of the device; nothing is changed."},
	{"pool", "list", NULL, 0, 0, 0, run_pool_list, "pools of extensions", NULL},
	{"pool", "show", "NAME", 1, 1, OPTION_SECRETS, run_pool_show,
	 "one pool: its rows, and which device has which number", NULL},
	{"pool", "set", "NAME", 1, 1, OPTION_RANGE, run_pool_set,
	 "make a pool, or give it other ranges; its rows stay",
	 "A number of a range is its own user name and has no password: set one with the rule or\n"
	 "the profile, or give rows with `bellhop pool import`."},
	{"pool", "import", "NAME FILE", 2, 2, 0, run_pool_import,
	 "add the rows of a CSV file (-: stdin) to a pool, which is made if need be",
	 "The first line names the columns: extension, and of username, auth_username, password\n"
	 "and display_name those that there are. A row takes the place of one with its extension."},
	{"pool", "remove", "NAME", 1, 1, 0, run_pool_remove,
	 "remove a pool that no rule uses; devices keep their numbers", NULL},
	{"file", "add", "PATH", 1, 1, OPTION_NAME, run_file_add,
	 "put a file where any claimed phone may fetch it", NULL},
	{"file", "list", NULL, 0, 0, 0, run_file_list, "those files", NULL},
	{"file", "remove", "NAME", 1, 1, 0, run_file_remove, "remove one of them", NULL},
	{"pack", "list", NULL, 0, 0, 0, run_pack_list, "the makers that the server knows", NULL},
	{"pack", "show", "NAME", 1, 1, 0, run_pack_show,
	 "how a maker's phones are recognised, told and served", pack_more},
	{"pack", "check", "FOLDER", 1, 1, 0, run_pack_check,
	 "say what is wrong with a vendor pack, without a server", check_more},
	{"form", "list", NULL, 0, 0, 0, run_form_list,
	 "which form and URL shape each kind of phone obeys", NULL},
	{"form", "pin", "VENDOR MODEL FIRMWARE rfc|print|default", 4, 4, OPTION_SHAPE, run_form_pin,
	 "say which it obeys: nothing else is tried then",
	 "An empty MODEL or FIRMWARE (\"\") is one that is not known. default leaves the form "
	 "open:\n"
	 "then --shape is pinned alone."},
	{"form", "forget", "VENDOR [MODEL] [FIRMWARE]", 1, 3, 0, run_form_forget,
	 "drop what was learned or pinned of such phones", NULL},
	{NULL, "events", NULL, 0, 0, OPTION_FOLLOW | OPTION_DEVICE | OPTION_LIMIT, run_events,
	 "what happened, the newest last", NULL},
	{NULL, "backup", "FILE", 1, 1, OPTION_FORCE, run_backup,
	 "copy the server's database to FILE (-: stdout) while it runs", backup_more},
	{NULL, "restore", "FILE", 1, 1, 0, run_restore,
	 "put what a backup holds in the place of what is there",
	 "The server checks FILE as a whole first, keeps what was beside its database, and\n"
	 "serves phones all the while. Files that phones fetch by name stay as they are."},
	{NULL, "doctor", "[CONFIG]", 0, 1, 0, run_doctor,
	 "what is wrong with this machine and network, and how to mend it",
	 "Looks at the server, interfaces, ports, the firewall, DHCP, TLS, the clock and the "
	 "disk,\n"
	 "and changes nothing. CONFIG is the server's configuration file; without it the one that "
	 "the\n"
	 "running server reads. Some checks need root. The exit code is 1 when there is a fault."},
	{NULL, "dhcp", "kea|dnsmasq|isc URL", 1, 2, 0, run_dhcp,
	 "print configuration for a DHCP server: the options that each maker's phones read",
	 "URL is what phones are to be told, with this server's address on their side:\n"
	 "http://10.13.4.121:8080/. It is the same for all phones, so it holds no key; files with\n"
	 "secrets then open to a phone's own hardware address alone."},
	{NULL, "completion", "bash|zsh|fish", 1, 1, 0, run_completion,
	 "print a script that completes bellhop's words",
	 "For now:           source <(bellhop completion bash)\n"
	 "For every session: bellhop completion zsh >~/.zfunc/_bellhop   (a folder of fpath)\n"
	 "                   bellhop completion fish >~/.config/fish/completions/bellhop.fish\n"
	 "MACs, profiles, files and models are asked from the server, when one answers."},
	{NULL, "help", "[COMMAND | settings]", 0, 2, 0, run_help, "this, or more of one command",
	 NULL},
};

const size_t command_count = sizeof(commands) / sizeof(commands[0]);
