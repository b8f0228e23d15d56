/* SPDX-License-Identifier: MIT */
/*
 * Where the phone learns its provisioning URL (audiocodes.md 1.3, 1.4, 1.7): provisioning/method
 * Disable: nowhere. Static: the two URLs of its own settings. Dynamic: DHCP option 160 (the number
 * is provisioning/url_option_value), then options 66 and 67, and SIP only when DHCP named none of
 * them.
 */
#ifndef BELLHOP_CORE_PHONE_DISCOVERY_H
#define BELLHOP_CORE_PHONE_DISCOVERY_H

#include "core/phone/config_file.h"
#include "core/phone/url.h"

enum { phone_dhcp_options_max = 16 };

struct phone_dhcp_option {
	uint8_t number;
	struct span value; /* belongs to the caller */
};

struct phone_dhcp {
	struct phone_dhcp_option options[phone_dhcp_options_max];
	size_t count;
};

enum discovery_source {
	DISCOVERY_DISABLED,  /* provisioning/method=Disable */
	DISCOVERY_STATIC,    /* the phone's own settings */
	DISCOVERY_DHCP_URL,  /* option 160 */
	DISCOVERY_DHCP_BOOT, /* options 66 and 67 */
	DISCOVERY_SIP,	     /* nothing known: subscribe */
};

/* Views into the settings and options it was decided from. */
struct discovery {
	enum discovery_source source;
	bool has_firmware; /* static: firmware/url may be empty on its own */
	bool has_config;
	struct phone_url firmware; /* where the image is, with has_firmware */
	struct phone_url config;   /* where the configuration is, with has_config */
};

/*
 * Decides. 0 and `*discovery`; -EINVAL when the method is none of the three; -ENODATA when it is
 * Static and neither URL is set; or what phone_url_parse says of a URL that cannot be used.
 * `*problem` then names the setting or option (a constant); an unusable option is not passed over
 * in silence.
 */
int discovery_decide(const struct phone_config *config, const struct phone_dhcp *dhcp,
		     struct discovery *discovery, const char **problem);

/* A constant word: disable, static, dhcp_160, dhcp_66, sip. */
const char *discovery_source_name(enum discovery_source source);

#endif
