"""OCI's regions by the domain that their services' names end in (Oracle's SDK 2.189: regions_definitions).

A region that is not here is one that another `oci` may know: it decides.
"""

from __future__ import annotations

_BY_DOMAIN = {
    "oraclecloud.com": (
        "af-casablanca-1 af-johannesburg-1 ap-batam-1 ap-chuncheon-1 ap-delhi-1 ap-hyderabad-1 ap-kulai-2 "
        "ap-melbourne-1 ap-mumbai-1 ap-osaka-1 ap-seoul-1 ap-singapore-1 ap-singapore-2 ap-sydney-1 ap-tokyo-1 "
        "ca-montreal-1 ca-toronto-1 eu-amsterdam-1 eu-frankfurt-1 eu-madrid-1 eu-madrid-3 eu-marseille-1 "
        "eu-milan-1 eu-paris-1 eu-stockholm-1 eu-turin-1 eu-zurich-1 il-jerusalem-1 me-abudhabi-1 me-dubai-1 "
        "me-jeddah-1 me-riyadh-1 mx-monterrey-1 mx-queretaro-1 sa-bogota-1 sa-santiago-1 sa-saopaulo-1 "
        "sa-valparaiso-1 sa-vinhedo-1 uk-cardiff-1 uk-london-1 us-ashburn-1 us-chicago-1 us-phoenix-1 "
        "us-saltlake-2 us-sanjose-1"
    ),
    "oraclegovcloud.com": "us-gov-ashburn-1 us-gov-chicago-1 us-gov-phoenix-1 us-langley-1 us-luke-1",
    "oraclegovcloud.uk": "uk-gov-cardiff-1 uk-gov-london-1",
    "oraclecloud8.com": "ap-chiyoda-1 ap-ibaraki-1",
    "oraclecloud9.com": "me-dcc-muscat-1 me-ibri-1",
    "oraclecloud10.com": "ap-dcc-canberra-1",
    "oraclecloud14.com": (
        "eu-dcc-dublin-1 eu-dcc-dublin-2 eu-dcc-milan-1 eu-dcc-milan-2 eu-dcc-rating-1 eu-dcc-rating-2"
    ),
    "oraclecloud15.com": "ap-dcc-gazipur-1",
    "oraclecloud.eu": "eu-frankfurt-2 eu-madrid-2",
    "oraclecloud20.com": "eu-jovanovac-1",
    "oraclecloud21.com": "me-alrayyan-1 me-dcc-doha-1",
    "oraclecloud23.com": "us-somerset-1 us-thames-1",
    "oraclecloud24.com": "eu-crissier-1 eu-dcc-zurich-1",
    "oraclecloud26.com": "me-abudhabi-3 me-alain-1",
    "oraclecloud29.com": "me-abudhabi-2 me-abudhabi-4",
    "oraclecloud35.com": "ap-chuncheon-2 ap-seoul-2 ap-suwon-1",
    "oraclecloud42.com": "us-ashburn-2 us-newark-1",
    "oraclecloud51.com": "eu-budapest-1",
    "oraclecloud52.com": "sa-riodejaneiro-1",
}


def domain(region: str) -> str | None:
    """The region's domain; None for one that is not known."""
    return next((name for name, regions in _BY_DOMAIN.items() if region in regions.split()), None)
